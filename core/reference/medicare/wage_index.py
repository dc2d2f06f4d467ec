"""Compute each state's wage index from the CMS wage index file, and adjust rates by it.

    amount = rate x (labor share x wage index + 1 - labor share), rounded once to cents

CMS pays each hospital by the index of its area. A state's index here is the simple mean over its areas: its urban
areas (CBSAs; one that crosses a border counts in each state it names) and its rural area, if it has one. An area that
is listed with several indices counts once, with their mean.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from core.fields.places.states import STATES
from core.reference import recognize
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError

_STATES_BY_NAME = {name.upper(): state for state, name in STATES.items()} | {"VIRGIN ISLANDS": "VI"}


@dataclass(frozen=True)
class WageIndex:
    """The exact index of each state, the file's year (None if it names none), and the areas left out.

    `several` are the names of areas that are listed with different indices: some years' files list an area again for
    the counties that were moved into it, whose index is another for a time, without naming them.
    """

    year: str | None
    of_state: dict[str, Fraction]
    left_out: tuple[str, ...]
    areas: pl.DataFrame
    """The rows of bench_wage_index, without release and kind."""
    several: tuple[str, ...] = ()


def read_wage_index(sheet: Sheet) -> WageIndex:
    """Return the states' indices from a file with the columns CBSA, name and index. Raise ReferenceFileError if bad."""
    header = recognize.find_header(sheet.rows, recognize.WAGE_INDEX) or 0
    titles = [recognize.normalize_title(cell) for cell in sheet.rows[header]]
    area = titles.index("CBSA")
    name = next((n for n, title in enumerate(titles) if "NAME" in title or "AREA" in title), area + 1)
    index = next(n for n, title in enumerate(titles) if "WAGE INDEX" in title or title.startswith("WI"))
    said = re.search(r"(?:20|WI ?)(\d\d)\b", " ".join([*titles, sheet.file.upper()]))
    left_out = []
    found: dict[str, _Area] = {}
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= max(area, name, index) or not re.fullmatch(r"\d{1,5}", row[area]):
            continue  # footnotes
        try:
            value = Fraction(row[index] or 0)
        except ValueError:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}: {row[index]!r} is not a wage index; expected a number such as 0.9504"
            ) from None
        states = _states_of_area(row[name])
        # The rest of a state has a code of the Social Security Administration, which is not its FIPS code.
        code = states[0] if len(row[area]) <= 2 and states else row[area]
        known = found.setdefault(code, _Area(row[name], states))
        # New Jersey has no rural area, so its index is 0 or blank; some counties are listed without their state.
        if value:
            known.values.add(value)
        if not value or not states:
            left_out.append(row[name])
    areas: dict[str, list[Fraction]] = defaultdict(list)
    for known in found.values():
        for state in known.states if known.values else []:
            areas[state].append(sum(known.values, Fraction()) / len(known.values))
    if not areas:
        raise ReferenceFileError(f"{sheet.name}: no areas with a state below the header")
    means = {state: sum(values, Fraction()) / len(values) for state, values in sorted(areas.items())}
    return WageIndex(
        year=f"20{said[1]}" if said else None,
        of_state=means,
        left_out=tuple(left_out),
        areas=_area_rows(found),
        several=tuple(known.name for known in found.values() if len(known.values) > 1),
    )


@dataclass
class _Area:
    """An area's name, its states, and the indices that the file has for it."""

    name: str
    states: list[str]
    values: set[Fraction] = field(default_factory=set)

    @property
    def index(self) -> float | None:
        """Return the index, or None if there is none or several: which of them is the area's own is not said."""
        return float(min(self.values)) if len(self.values) == 1 else None


def _area_rows(areas: dict[str, _Area]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "wage_area": list(areas),
            "name": [area.name for area in areas.values()],
            "states": [area.states for area in areas.values()],
            "wage_index": [area.index for area in areas.values()],
        },
        schema={"wage_area": pl.String, "name": pl.String, "states": pl.List(pl.String), "wage_index": pl.Float64},
    ).sort("wage_area")


def _states_of_area(area: str) -> list[str]:
    """Return an area's states: a rural area has the state's name, an urban one its states after a comma (GA-SC)."""
    if area.upper() in _STATES_BY_NAME:
        return [_STATES_BY_NAME[area.upper()]]
    return [state for state in area.rpartition(",")[2].strip().split("-") if state in STATES] if "," in area else []


def adjust_rates(
    rates: npt.NDArray[np.int64], index: Fraction, labor_percent: int, fixed: npt.NDArray[np.int64] | None = None
) -> npt.NDArray[np.int64]:
    """Return rates (in thousandths of a dollar) adjusted by an index, in cents, with half a cent rounded up.

    `fixed` is the part of each rate that is not adjusted. Whole numbers of any size, as a mean of indices is a fraction
    that no float represents exactly.
    """
    factor = Fraction(labor_percent, 100) * index + 1 - Fraction(labor_percent, 100)
    parts = [0] * len(rates) if fixed is None else fixed.tolist()
    cents = [
        (2 * ((rate - part) * factor.numerator + part * factor.denominator) + 10 * factor.denominator)
        // (20 * factor.denominator)
        for rate, part in zip(rates.tolist(), parts, strict=True)
    ]
    return np.array(cents, np.int64)
