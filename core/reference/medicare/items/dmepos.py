"""Load Medicare's fee schedule of equipment, prosthetics, orthotics, and supplies (DMEPOS), and of nutrition (PEN).

A patient's ZIP code decides whether the rural amount, or that of a former competitive bidding area, is paid.

Source: CMS, DMEPOS Fee Schedule and its DMEREAD file; 42 CFR 414.210(g).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from core.fields.codes.billing_code import medicare_code_system
from core.reference import recognize
from core.reference.benchmark_release import (
    NOT_IN_LIST,
    NOT_PRICED,
    REPEATED,
    LoadedBenchmark,
    encode_text_columns,
    put_release,
)
from core.reference.medicare.items.dmepos_files import (
    AreaFees,
    ItemFees,
    read_area_fees,
    read_area_zips,
    read_items,
    read_mail_order,
    read_release,
)
from core.reference.medicare.items.issues import choose_newest, refuse_older_issue
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_DMEPOS, BENCH_DMEPOS_AREA, BENCH_DMEPOS_ZIP
from core.store.sql import parquet_rows

CATEGORIES = {
    "IN": "inexpensive and routinely purchased items", "FS": "frequently serviced items", "CR": "capped rental",
    "OX": "oxygen", "OS": "ostomy, tracheostomy and urological items", "SD": "surgical dressings",
    "PO": "prosthetics and orthotics", "SU": "supplies", "TE": "nerve stimulators", "TS": "therapeutic shoes",
    "IL": "intraocular lenses", "SC": "splints and casts", "LC": "lymphedema compression", "LT": "labor",
}  # fmt: skip
JURISDICTIONS = {"D": "equipment contractor", "L": "local contractor", "J": "both"}

HELP = """\
  dmepos          Medicare's fee schedule of equipment (DMEPOS) and of nutrition (PEN), by state. Takes both files of a
                  quarter, or the zip file they come in: csv, Excel, or text. Those of the former competitive bidding
                  areas and of mail order are loaded too if they are among the files.

    manage.py load_benchmark dmepos DMEPOS_JAN.csv DMEPEN_JAN.csv
"""

EQUIPMENT, NUTRITION, MAIL_ORDER = "DMEPOS", "PEN", "mail order"
_KINDS = {
    EQUIPMENT: (recognize.EQUIPMENT, recognize.EQUIPMENT_TEXT),
    NUTRITION: (recognize.NUTRITION, recognize.NUTRITION_TEXT),
    MAIL_ORDER: (recognize.MAIL_ORDER,),
    "areas": (recognize.AREA_FEES,),
    "area ZIP codes": (recognize.AREA_ZIPS,),
}
"""Which kinds of file a list may be."""


@dataclass
class _Read:
    """What was read so far."""

    items: dict[str, list[ItemFees]] = field(default_factory=dict)
    areas: list[AreaFees] = field(default_factory=list)
    zips: dict[str, tuple[str, str]] = field(default_factory=dict)
    repeated: int = 0


def load(store: Store, paths: list[Path], *, year_month: str | None = None) -> LoadedBenchmark:
    """Load one release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    sheets, release, notes = _choose_sheets(paths, year_month)
    files = [sheet.name for sheet in sheets.values()]
    refuse_older_issue(store, "dmepos", release, files)
    _refuse_to_lose(store, release, set(sheets))
    read = _read(sheets)
    items = [item for found in read.items.values() for item in found]
    left_out = Counter({REPEATED: read.repeated} if read.repeated else {})
    left_out.update(f"{NOT_PRICED}: 0.00 everywhere, priced by the contractor" for item in items if not item.priced)
    left_out.update(f"{NOT_PRICED}: no amount in any area" for item in read.areas if not item.by_area)
    rows = len(items) + len(read.areas) + read.repeated
    loaded = LoadedBenchmark(
        kind="dmepos",
        release=release,
        files=tuple(files),
        rows_read=rows,
        rows_priced=rows - sum(left_out.values()),
        left_out=dict(sorted(left_out.items())),
        notes=(*notes, *_describe(read)),
        states=tuple(sorted({state for item in items for state in item.by_state})),
    )
    once = {BENCH_DMEPOS_AREA: _area_rows(read.areas, release), BENCH_DMEPOS_ZIP: _zip_rows(read.zips, release)}
    return put_release(store, BENCH_DMEPOS, StateFees(read.items, release), loaded, once)


def _choose_sheets(paths: list[Path], year_month: str | None) -> tuple[dict[str, Sheet], str, list[str]]:
    """Return the sheet of each list, their release, and notes on files left out."""
    found = recognize.gather_sheets(paths, [kind for kinds in _KINDS.values() for kind in kinds])
    sheets: dict[str, Sheet] = {}
    releases: dict[str, str] = {}
    notes: list[str] = []
    for name, kinds in _KINDS.items():
        of_list = [sheet for kind in kinds for sheet in found[kind]]
        if of_list:
            sheets[name], releases[name], more = choose_newest(of_list, lambda sheet: year_month or read_release(sheet))
            notes += more
    if EQUIPMENT not in sheets and NUTRITION not in sheets:
        recognize.first_sheet(found, recognize.EQUIPMENT)  # which says what there is instead
    if len(set(releases.values())) > 1:
        each = ", ".join(f"{sheets[name].name} is of {release}" for name, release in releases.items())
        raise ReferenceFileError(f"files of different releases: {each}; load one release at a time")
    missing = {EQUIPMENT: "equipment is not loaded", NUTRITION: "enteral and parenteral nutrition is not loaded"}
    notes += [f"no {name} file: {what}" for name, what in missing.items() if name not in sheets]
    return sheets, next(iter(releases.values())), notes


def _refuse_to_lose(store: Store, release: str, given: set[str]) -> None:
    """Raise ReferenceFileError if the store has a list of this release that is not among the files."""
    paths = store.paths(BENCH_DMEPOS.name)
    if not paths:
        return
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT DISTINCT list FROM {parquet_rows(paths)} WHERE release = ?", [release]
        ).fetchall()
    lost = sorted({name for (name,) in rows} - given)
    if lost:
        raise ReferenceFileError(
            f"{', '.join(lost)} of {release} is loaded and not among the files, so it would be lost; give the files of "
            "DMEPOS and PEN together"
        )


def _read(sheets: dict[str, Sheet]) -> _Read:
    read = _Read()
    for name, sheet in sheets.items():
        repeated = 0
        if name in {EQUIPMENT, NUTRITION}:
            read.items[name], repeated = read_items(sheet)
        elif name == MAIL_ORDER:
            states = sorted({state for items in read.items.values() for item in items for state in item.by_state})
            read.items[name], repeated = read_mail_order(sheet, states)
        elif name == "areas":
            read.areas, repeated = read_area_fees(sheet)
        else:
            read.zips = read_area_zips(sheet)
        read.repeated += repeated
    keys = Counter((item.code, item.modifier) for items in read.items.values() for item in items)
    twice = sorted(" ".join(key).strip() for key, times in keys.items() if times > 1)
    if twice:
        raise ReferenceFileError(
            f"{', '.join(twice[:5])}: in more than one of the files; expected each code and modifier in one"
        )
    return read


def _describe(read: _Read) -> Iterator[str]:
    """Yield notes on what was read."""
    items = [item for found in read.items.values() for item in found]
    for title, known, values in (
        ("category", CATEGORIES, Counter(item.category for item in items)),
        ("jurisdiction", JURISDICTIONS, Counter(item.jurisdiction for item in items)),
    ):
        for value, rows in sorted(values.items()):
            if value and value not in known:
                yield f"{title} {value}, {NOT_IN_LIST}: {rows} rows"
    states = sum(rural is not None for item in items for _, rural in item.by_state.values())
    yield f"{states:,} rural amounts apart; elsewhere the rural amount is the state's"
    if read.areas:
        areas = {area for item in read.areas for area in item.by_area}
        yield f"{len(areas)} former competitive bidding areas, with {len(read.zips):,} ZIP codes"
        unknown = sorted({area for _, area in read.zips.values()} - areas)
        if unknown:
            yield f"areas with ZIP codes and without amounts: {', '.join(unknown)}"
    else:
        yield "no file of the former competitive bidding areas: their items are compared with the state's amount"


class StateFees:
    """A function from a state to its rows of bench_dmepos, one for each code and modifiers, without year_month."""

    def __init__(self, by_list: dict[str, list[ItemFees]], release: str) -> None:
        self._items = [item for items in by_list.values() for item in items]
        self._fixed_columns = pl.DataFrame(
            {
                "code_type": [medicare_code_system(item.code) for item in self._items],
                "code": [item.code for item in self._items],
                "modifier": [item.modifier for item in self._items],
                "list": [name for name, items in by_list.items() for _ in items],
                "category": pl.Series([item.category or None for item in self._items], dtype=pl.String),
                "jurisdiction": pl.Series([item.jurisdiction or None for item in self._items], dtype=pl.String),
            }
        ).with_columns(release=pl.lit(release))

    def __call__(self, state: str) -> pl.DataFrame:
        """Return the state's rows."""
        amounts = [item.by_state.get(state, (None, None)) for item in self._items]
        plain = pl.Series("amount", [amount and float(amount) for amount, _ in amounts], pl.Float64)
        rural = pl.Series("rural_amount", [rural and float(rural) for _, rural in amounts], pl.Float64)
        return self._fixed_columns.with_columns(plain, rural, state=pl.lit(state)).with_columns(
            rural_amount=pl.coalesce("rural_amount", "amount"),
            reason=pl.when(pl.coalesce("rural_amount", "amount").is_null()).then(pl.lit(NOT_PRICED)),
        )


def _area_rows(items: list[AreaFees], release: str) -> Iterator[pa.Table]:
    """Yield the rows of bench_dmepos_area, sorted."""
    rows = [
        (release, area, medicare_code_system(item.code), item.code, item.modifier, float(amount))
        for item in items
        for area, amount in item.by_area.items()
    ]
    if rows:
        yield encode_text_columns(
            pl.DataFrame(rows, schema=list(BENCH_DMEPOS_AREA.names), orient="row").sort(BENCH_DMEPOS_AREA.order),
            BENCH_DMEPOS_AREA,
        )


def _zip_rows(zips: dict[str, tuple[str, str]], release: str) -> Iterator[pa.Table]:
    """Yield the rows of bench_dmepos_zip, sorted."""
    rows = [(release, zip_code, state, area) for zip_code, (state, area) in sorted(zips.items())]
    if rows:
        frame = pl.DataFrame(rows, schema=list(BENCH_DMEPOS_ZIP.names), orient="row")
        yield encode_text_columns(frame, BENCH_DMEPOS_ZIP)
