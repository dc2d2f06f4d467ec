"""Load the Medicare ambulance fee schedule: each state's mean amounts for urban, rural, and most rural pickups.

    amount = base rate x (70% x practice expense GPCI + 30%), and mileage by the mile

The file has the amounts of each locality, with the add-ons of the law for the place of pickup (42 CFR 414.610), so that
nothing is computed here but the means.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from core.reference import recognize
from core.reference.benchmark_release import NOT_PRICED, LoadedBenchmark, put_release
from core.reference.medicare.professional.contractors import state_of_locality
from core.reference.medicare.scaled_numbers import parse_money
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_AMBULANCE

_AMOUNTS = {
    "amount": "URBAN",
    "rural_amount": "RURAL MILEAGE",
    "super_rural_amount": "LOWEST QUARTILE",
    "rural_first_miles": "MILES 1-17",
}
"""The columns of bench_ambulance by a part of their titles in the file."""

HELP = """\
  ambulance       The Medicare ambulance fee schedule, for every state. Takes the public use file (AFS…_PUF).

    manage.py load_benchmark ambulance AFS2026_PUF_ext.txt
"""


@dataclass(frozen=True)
class LocalityFares:
    """One code in one locality: cents by column of bench_ambulance, None where the file has n/a."""

    state: str
    code: str
    cents: tuple[int | None, ...]


def load(store: Store, paths: list[Path], *, year_month: str | None = None) -> LoadedBenchmark:
    """Load one year. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    sheets = recognize.gather_sheets(paths, (recognize.AMBULANCE,))
    sheet = recognize.first_sheet(sheets, recognize.AMBULANCE)
    release = year_month or _read_release(sheet)
    fares, unknown = read_fares(sheet)
    by_state: dict[str, dict[str, list[LocalityFares]]] = defaultdict(lambda: defaultdict(list))
    for fare in fares:
        by_state[fare.state][fare.code].append(fare)
    codes = sorted({fare.code for fare in fares})
    priced = {fare.code for fare in fares if fare.cents[0]}

    def rows_of(state: str) -> pl.DataFrame:
        of_code = by_state[state]
        listed = sorted(of_code)
        means = {
            column: pl.Series([_mean(fare.cents[n] for fare in of_code[code]) for code in listed], dtype=pl.Float64)
            for n, column in enumerate(_AMOUNTS)
        }
        rows = pl.DataFrame({"code": listed, **means, "localities": [len(of_code[code]) for code in listed]})
        return rows.with_columns(
            state=pl.lit(state),
            code_type=pl.lit("HCPCS"),
            modifier=pl.lit(""),
            reason=pl.when(pl.col("amount").is_null()).then(pl.lit(NOT_PRICED)),
            release=pl.lit(release),
        )

    notes = ["mean over the state's localities; amounts of pickups in urban, rural, and the most rural areas"]
    if unknown:
        notes.append(f"contractors that this version does not know are left out: {', '.join(sorted(unknown))}")
    left_out = {NOT_PRICED: len(codes) - len(priced)} if len(priced) < len(codes) else {}
    loaded = LoadedBenchmark(
        kind="ambulance",
        release=release,
        files=(sheet.name,),
        rows_read=len(codes),
        rows_priced=len(priced),
        left_out=left_out,
        notes=tuple(notes),
        states=tuple(sorted(by_state)),
    )
    return put_release(store, BENCH_AMBULANCE, rows_of, loaded)


def read_fares(sheet: Sheet) -> tuple[list[LocalityFares], set[str]]:
    """Return the amounts of each code and locality, and the contractors whose state is not known.

    Raise ReferenceFileError if the file is not as CMS publishes it.
    """
    header = recognize.find_header(sheet.rows, recognize.AMBULANCE) or 0
    titles = recognize.header_titles(sheet.rows, recognize.AMBULANCE)
    places = {
        column: next((n for n, title in enumerate(titles) if part in title), None) for column, part in _AMOUNTS.items()
    }
    contractor, locality, code = (
        next((n for n, title in enumerate(titles) if part in title), 0) for part in ("CONTRACTOR", "LOCALITY", "HCPCS")
    )
    found: dict[tuple[str, str, str], LocalityFares] = {}
    unknown = set()
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= code or not re.fullmatch(r"\d{4,5}", row[contractor]) or not re.fullmatch(r"A\d{4}", row[code]):
            continue  # the heading of a state, or a note
        key = row[contractor].zfill(5), row[locality].zfill(2), row[code]
        state = state_of_locality(*key[:2])
        if state is None:
            unknown.add(key[0])
            continue
        try:
            cents = tuple(_parse_cell(row, place) for place in places.values())
        except ValueError as error:
            raise ReferenceFileError(f"{sheet.name}: row {number}, code {row[code]}: {error}") from None
        fare = LocalityFares(state, row[code], cents)
        if found.setdefault(key, fare) != fare:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}: code {key[2]} has two amounts in locality {key[1]} of contractor {key[0]}"
                "; expected one"
            )
    if not found:
        raise ReferenceFileError(f"{sheet.name}: no ambulance codes (A0425…) below the header")
    return list(found.values()), unknown


def _parse_cell(row: list[str], place: int | None) -> int | None:
    text = row[place] if place is not None and place < len(row) else ""
    return None if text.upper() in {"", "N/A", "NA", "-"} else parse_money(text) or None


def _mean(cents: Iterable[int | None]) -> float | None:
    """Return the mean in dollars of the amounts there are."""
    known = [amount for amount in cents if amount is not None]
    return sum(known) / (100 * len(known)) if known else None


def _read_release(sheet: Sheet) -> str:
    titles = " ".join(" ".join(row) for row in sheet.rows[: recognize.find_header(sheet.rows, recognize.AMBULANCE)])
    for text in (sheet.file, titles):
        if year := re.search(r"(?<!\d)20\d\d(?!\d)", text):
            return f"{year[0]}-01"
    raise ReferenceFileError(
        f"{sheet.name}: neither titles nor file name say which year this is; name its first month with --year-month"
    )
