"""The Medicare physician fee schedule, from the relative value file and the GPCI file as CMS publishes them.

    amount = (work x GPCI_work + PE x GPCI_pe + MP x GPCI_mp) x conversion factor, rounded once to cents

PE is the practice expense of the setting: facility or non-facility. Relative values have two decimals, GPCIs three and
the factor four, so the amounts are computed in whole numbers of 10**-9 dollars: no amount is off by a rounding of the
computer's. Source: 42 CFR 414.20 and the RVU files' own documentation (RVU25D, "PFS payment formula").
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.benchmarks.cms_csv import Rows, read_csv
from core.benchmarks.errors import BenchmarkError
from core.states import STATES

PAYABLE = frozenset("ART")
"""Status codes under which the schedule pays: active, restricted, injections."""

MODIFIERS = ("", "26", "TC", "53")
"""Rows the schedule has: the whole service, its reading, the scan, a discontinued one."""

_TITLE = re.compile(r"(20\d\d) National Physician Fee Schedule Relative Value File (\w+)", re.IGNORECASE)
_MONTHS = {"january": 1, "april": 4, "july": 7, "october": 10}
_LEVEL_TWO = re.compile(r"[A-V]\d{4}")
# By position: the header's names repeat.
_CODE, _MODIFIER, _STATUS, _WORK, _NONFACILITY_PE, _NONFACILITY_NA, _FACILITY_PE, _FACILITY_NA, _MP = (
    0, 1, 3, 5, 6, 7, 8, 9, 10,
)  # fmt: skip


@dataclass(frozen=True)
class RelativeValue:
    """One row of the relative value file. Values are in hundredths; a practice expense is None where NA."""

    code: str
    modifier: str
    status: str
    work: int
    nonfacility_pe: int | None
    facility_pe: int | None
    malpractice: int

    @property
    def code_type(self) -> str:
        """HCPCS for level II codes (a letter and four digits), CPT for all others."""
        return "HCPCS" if _LEVEL_TWO.fullmatch(self.code) else "CPT"


@dataclass(frozen=True)
class RelativeValues:
    """A relative value file: the month its release begins, its factor in 10**-4 dollars, its payable rows."""

    release: str
    conversion_factor: int
    rows: tuple[RelativeValue, ...]
    rows_read: int
    not_payable: int


@dataclass(frozen=True)
class Locality:
    """One payment locality; the indices are in thousandths."""

    contractor: str
    state: str
    number: str
    name: str
    work: int
    pe: int
    malpractice: int


def cents(value: RelativeValue, locality: Locality, conversion_factor: int, *, facility: bool) -> int | None:
    """The amount of one row in one locality, in cents; None where the schedule has none for the setting."""
    pe = value.facility_pe if facility else value.nonfacility_pe
    if pe is None:
        return None
    units = value.work * locality.work + pe * locality.pe + value.malpractice * locality.malpractice
    return _rounded(units * conversion_factor) or None


def cents_table(
    values: Sequence[RelativeValue], localities: Sequence[Locality], conversion_factor: int, *, facility: bool
) -> npt.NDArray[np.int64]:
    """`cents` of every row in every locality: an array of shape (rows, localities), 0 where there is no amount."""
    pes = [value.facility_pe if facility else value.nonfacility_pe for value in values]
    parts = np.array([(v.work, pe or 0, v.malpractice) for v, pe in zip(values, pes, strict=True)], np.int64).reshape(
        -1, 3
    )
    indices = np.array([(place.work, place.pe, place.malpractice) for place in localities], np.int64).reshape(-1, 3)
    amounts = (parts @ indices.T * conversion_factor + 5_000_000) // 10_000_000
    amounts[[pe is None for pe in pes]] = 0
    return np.asarray(amounts, np.int64)


def _rounded(nanodollars: int) -> int:
    """Cents from 10**-9 dollars, half a cent up."""
    return (nanodollars + 5_000_000) // 10_000_000


# --- the files ------------------------------------------------------------------------------------------------


def is_relative_values(rows: Rows) -> bool:
    """Whether the rows are those of a relative value file."""
    return any(row[:2] == ["HCPCS", "MOD"] for row in rows[:30])


def is_gpci(rows: Rows) -> bool:
    """Whether the rows are those of a GPCI file."""
    return any("GPCI" in " ".join(row).upper() and "LOCALITY" in " ".join(row).upper() for row in rows[:10])


def read_files(paths: Iterable[Path]) -> tuple[RelativeValues, list[Locality]]:
    """The relative values and the localities of the two files, in whichever order they are given.

    Raises BenchmarkError where they are not one of each, or of different years.
    """
    relative, gpci = [], []
    for path in paths:
        rows = read_csv(path, lambda rows: is_relative_values(rows) or is_gpci(rows))
        if is_relative_values(rows):
            relative.append((path, rows))
        elif is_gpci(rows):
            gpci.append((path, rows))
        else:
            raise BenchmarkError(
                f"{path.name}: neither a relative value file (PPRRVU…) nor a GPCI file; expected the csv of CMS"
            )
    if len(relative) != 1 or len(gpci) != 1:
        raise BenchmarkError(
            f"expected one relative value file (PPRRVU…) and one GPCI file; got {len(relative)} and {len(gpci)}"
        )
    values = relative_values(relative[0][0].name, relative[0][1])
    places = localities(gpci[0][0].name, gpci[0][1], values.release[:4])
    return values, places


def relative_values(name: str, rows: Rows) -> RelativeValues:
    """The relative values of a PPRRVU csv's rows. Raises BenchmarkError where the file does not say what it must."""
    title = next((match for row in rows[:10] if (match := _TITLE.search(" ".join(row)))), None)
    if not title or title[2].lower() not in _MONTHS:
        raise BenchmarkError(f"{name}: the title rows name no release; expected '… Relative Value File July Release'")
    header = next(number for number, row in enumerate(rows) if row[:2] == ["HCPCS", "MOD"])
    if "FACTOR" not in rows[header]:
        raise BenchmarkError(f"{name}: no conversion factor column; expected one headed CONV FACTOR")
    factor = rows[header].index("FACTOR")
    payable: list[RelativeValue] = []
    factors: set[int] = set()
    read = 0
    for number, row in enumerate(rows[header + 1 :], header + 2):
        if len(row) <= factor or not re.fullmatch(r"[0-9A-Z]{5}", row[_CODE]):
            continue  # footnotes, and the \x1a that ends some of the files
        read += 1
        if row[_STATUS] not in PAYABLE:
            continue
        try:
            payable.append(
                RelativeValue(
                    row[_CODE],
                    row[_MODIFIER],
                    row[_STATUS],
                    _scaled(row[_WORK], 2),
                    None if row[_NONFACILITY_NA] == "NA" else _scaled(row[_NONFACILITY_PE], 2),
                    None if row[_FACILITY_NA] == "NA" else _scaled(row[_FACILITY_PE], 2),
                    _scaled(row[_MP], 2),
                )
            )
            factors.add(_scaled(row[factor], 4))
        except ValueError as error:
            raise BenchmarkError(f"{name}: row {number}, code {row[_CODE]}: {error}") from None
    if len(factors) != 1:
        raise BenchmarkError(f"{name}: {len(factors)} conversion factors; expected one for the whole file")
    release = f"{title[1]}-{_MONTHS[title[2].lower()]:02}"
    return RelativeValues(release, factors.pop(), tuple(payable), read, read - len(payable))


def localities(name: str, rows: Rows, year: str) -> list[Locality]:
    """The localities of a GPCI csv's rows, with the work floor where the file has both.

    Raises BenchmarkError where the file is for another year or does not have the columns.
    """
    header = next(n for n, row in enumerate(rows) if any("GPCI" in c.upper() for c in row) and len(set(row)) > 4)
    titles = [cell.upper() for cell in rows[header]]
    if not any(year in cell for row in rows[: header + 1] for cell in row):
        raise BenchmarkError(f"{name}: not for {year}, the year of the relative value file")
    work = [n for n, title in enumerate(titles) if "GPCI" in title and ("PW" in title or "WORK" in title)]
    floored = [n for n in work if "WITHOUT" not in titles[n]]
    columns = {
        "state": _column(titles, "STATE"),
        "number": _column(titles, "LOCALITY NUMBER"),
        "name": _column(titles, "LOCALITY NAME"),
        "pe": _column(titles, "PE GPCI"),
        "malpractice": _column(titles, "MP GPCI"),
    }
    if not floored or None in columns.values():
        raise BenchmarkError(f"{name}: expected the columns State, Locality Number, Locality Name, PW, PE and MP GPCI")
    found = []
    for row in rows[header + 1 :]:
        if len(row) < len(titles) or not re.fullmatch(r"\d{5}", row[0]):
            continue  # footnotes
        cells = {field: row[column] for field, column in columns.items() if column is not None}
        if cells["state"] not in STATES:
            raise BenchmarkError(f"{name}: {cells['state']!r} is no state; expected two letters")
        try:
            found.append(
                Locality(
                    row[0],
                    cells["state"],
                    cells["number"].zfill(2),
                    cells["name"].rstrip("*"),
                    _scaled(row[floored[0]], 3),
                    _scaled(cells["pe"], 3),
                    _scaled(cells["malpractice"], 3),
                )
            )
        except ValueError as error:
            raise BenchmarkError(f"{name}: locality {row[0]} {cells['number']}: {error}") from None
    if not found:
        raise BenchmarkError(f"{name}: no localities below the header")
    return found


def _column(titles: list[str], wanted: str) -> int | None:
    return next((n for n, title in enumerate(titles) if wanted in title), None)


def _scaled(text: str, decimals: int) -> int:
    """A decimal as a whole number of 10**-decimals. Raises ValueError where it is none, or has more decimals."""
    try:
        scaled = Decimal(text).scaleb(decimals)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{text!r} has more than {decimals} decimals")
    return int(scaled)
