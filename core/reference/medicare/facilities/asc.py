"""Load Medicare's prices for ambulatory surgical centers: Addenda AA and BB, wage adjusted for every state.

Source of the indicators and of the 50% labor share: the OPPS/ASC final rule for 2025 (89 FR 93912), Addendum DD1 and
section XIII; S2 came with 2026. The device part of a device-intensive procedure (J8) is not
adjusted. Addendum FF names it; where that is not among the files, it is adjusted with the rest.
"""

from pathlib import Path

from core.reference import recognize
from core.reference.benchmark_release import NOT_PRICED, PACKAGED, LoadedBenchmark, put_release
from core.reference.medicare.addenda import (
    Indicator,
    NationalPrice,
    StatePrices,
    area_index_rows,
    choose_wage_index,
    count_left_out,
    note_unknown_indicators,
    read_prices,
    read_release,
    unite_repeats,
)
from core.reference.medicare.facilities.device_parts import read_device_parts
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_ASC, BENCH_WAGE_INDEX

LABOR_PERCENT = 50

_COLUMNS = {
    "indicator": "asc_pi",
    "weight": "asc_weight",
    "rate": "asc_rate",
    "amount": "asc_mar_stateavg",
    "labor": "labor_amount",
}
"""The columns of bench_asc by their names in StatePrices."""

INDICATORS = {
    "A2": Indicator("surgical procedure"),
    "B5": Indicator("alternative code may be available", NOT_PRICED),
    "D1": Indicator("ancillary dental service, packaged", PACKAGED),
    "D2": Indicator("dental procedure"),
    "D5": Indicator("discontinued", NOT_PRICED),
    "F4": Indicator("corneal tissue or vaccine at reasonable cost", NOT_PRICED),
    "G2": Indicator("surgical procedure, not office based"),
    "H2": Indicator("brachytherapy source", adjusted=False),
    "J7": Indicator("pass-through device, priced by the contractor", NOT_PRICED),
    "J8": Indicator("device-intensive procedure"),
    "K2": Indicator("drug", adjusted=False),
    "K5": Indicator("no pricing information yet", NOT_PRICED),
    "K7": Indicator("unclassified drug, priced by the contractor", NOT_PRICED),
    "L1": Indicator("vaccine, packaged", PACKAGED),
    "L6": Indicator("special payment for a lens or a non-opioid product", NOT_PRICED),
    "N1": Indicator("packaged into other services", PACKAGED),
    "P2": Indicator("office-based procedure"),
    "P3": Indicator("office-based procedure, by the physician fee schedule"),
    "R2": Indicator("office-based procedure, not enough claims"),
    "S2": Indicator("skin substitute, at one price", adjusted=False),
    "Z2": Indicator("radiology service"),
    "Z3": Indicator("radiology service, by the physician fee schedule"),
}

HELP = """\
  asc             Medicare's prices for ambulatory surgical centers, for every state. Takes Addenda AA and BB and the
                  wage index file. With Addendum FF, the device part of device-intensive procedures is not adjusted.

    manage.py load_benchmark asc AA.csv BB.csv FF.csv --wage-index wage_index_2025.csv
"""


def load(
    store: Store, paths: list[Path], *, year_month: str | None = None, wage_index: Path | None = None
) -> LoadedBenchmark:
    """Load one release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    sheets = recognize.gather_sheets(paths, (recognize.ASC_ADDENDUM, recognize.DEVICE_OFFSETS, recognize.WAGE_INDEX))
    recognize.first_sheet(sheets, recognize.ASC_ADDENDUM)
    releases = {
        year_month or read_release(sheet, kind)
        for kind in (recognize.ASC_ADDENDUM, recognize.DEVICE_OFFSETS)
        for sheet in sheets[kind]
    }
    if len(releases) > 1:
        raise ReferenceFileError(
            f"the addenda are for different quarters: {', '.join(sorted(releases))}; give those of one quarter"
        )
    (release,) = releases
    addenda = _sheets_by_addendum(sheets[recognize.ASC_ADDENDUM])
    rows_read = {
        name: read_prices(sheet, recognize.ASC_ADDENDUM, "PAYMENT INDICATOR") for name, sheet in addenda.items()
    }
    prices = _unite({name: unite_repeats(part, addenda[name].name) for name, part in rows_read.items()})
    index_sheet, index, notes = choose_wage_index(sheets[recognize.WAGE_INDEX], wage_index, release)
    offsets = sheets[recognize.DEVICE_OFFSETS][:1]
    devices = read_device_parts(offsets[0], prices) if offsets else {}
    if offsets:
        notes.append(f"the device part of {len(devices)} device-intensive procedures (J8) is not wage adjusted")
    else:
        notes.append("no Addendum FF: the device part of device-intensive procedures (J8) is wage adjusted too")
    missing = {"AA": "surgical procedures", "BB": "ancillary services"}
    notes += [f"no Addendum {name}: {what} are not loaded" for name, what in missing.items() if name not in addenda]
    rows = StatePrices(prices, INDICATORS, index, LABOR_PERCENT, release, devices)
    total = sum(map(len, rows_read.values()))
    loaded = LoadedBenchmark(
        kind="asc",
        release=release,
        files=(*(sheet.name for sheet in (*addenda.values(), *offsets)), index_sheet.name),
        rows_read=total,
        rows_priced=int(rows.paid.sum()),
        left_out=count_left_out(prices, rows.paid, INDICATORS, total - len(prices)),
        notes=(
            f"{LABOR_PERCENT}% of each rate is wage adjusted; drugs and brachytherapy sources are not",
            *notes,
            *note_unknown_indicators(prices, INDICATORS),
        ),
        states=tuple(rows.states),
    )
    by_area = {BENCH_WAGE_INDEX: area_index_rows(index, loaded.kind, release)}
    return put_release(store, BENCH_ASC, lambda state: rows(state).rename(_COLUMNS), loaded, by_area)


def _sheets_by_addendum(sheets: list[Sheet]) -> dict[str, Sheet]:
    """Return the first sheet of each addendum: BB says so in its title, or has no column on multiple procedures."""
    found: dict[str, Sheet] = {}
    for sheet in sheets:
        rows = sheet.rows[: (recognize.find_header(sheet.rows, recognize.ASC_ADDENDUM) or 0) + 1]
        top = " ".join(recognize.normalize_title(cell) for row in rows for cell in row)
        found.setdefault("AA" if "MULTIPLE PROCEDURE" in top and "ADDENDUM BB" not in top else "BB", sheet)
    return dict(sorted(found.items()))


def _unite(addenda: dict[str, list[NationalPrice]]) -> list[NationalPrice]:
    """Return the rows of both addenda, without those that are in both.

    Raise ReferenceFileError if a code is in both with different content, and so has two amounts.
    """
    kept = {price.code: price for price in addenda.get("AA", [])}
    differing = [price.code for price in addenda.get("BB", []) if kept.setdefault(price.code, price) != price]
    if differing:
        raise ReferenceFileError(
            f"{', '.join(sorted(differing)[:5])}: in both Addendum AA and Addendum BB, with different content; "
            "expected each code in one of them"
        )
    return list(kept.values())
