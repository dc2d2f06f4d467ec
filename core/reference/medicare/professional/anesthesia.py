"""Load what Medicare pays for anesthesia: base units of each code, and dollars per unit in each locality and state.

    amount of a case = (base units + units of 15 minutes) x the locality's conversion factor

A payer's rate for an anesthesia code is usually dollars per unit, so that the factor is what it is compared with. The
two files come out in different years: CMS lists the base units only when they change.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from core.fields.codes.billing_code import medicare_code_system
from core.reference import recognize
from core.reference.benchmark_release import (
    NATION,
    NOT_PRICED,
    LoadedBenchmark,
    encode_text_columns,
    put_release,
)
from core.reference.medicare.professional.anesthesia_files import (
    AnesthesiaFactor,
    named_year,
    read_base_units,
    read_factors,
)
from core.reference.medicare.professional.contractors import state_of_locality
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_ANESTHESIA, BENCH_ANESTHESIA_LOCALITY

HELP = """\
  anesthesia      Medicare's conversion factors for anesthesia (dollars per unit), for every state and locality, and
                  the base units of its codes. Takes the factors (ANES… of the RVU zip file, or the file of
                  locality-adjusted conversion factors) and CMS's list of base units, together, or the list first.

    manage.py load_benchmark anesthesia "CY_2022_Anesthesia_Base_Units.xlsx" ANES2025.csv
"""


def load(store: Store, paths: list[Path], *, year_month: str | None = None) -> LoadedBenchmark:
    """Load one year. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    sheets = recognize.gather_sheets(paths, (recognize.ANESTHESIA, recognize.BASE_UNITS))
    factor_sheets, unit_sheets = sheets[recognize.ANESTHESIA][:1], sheets[recognize.BASE_UNITS][:1]
    used = [*factor_sheets, *unit_sheets]
    release = year_month or _read_release(used)
    units = read_base_units(unit_sheets[0]) if unit_sheets else _stored_units(store)
    factors = read_factors(factor_sheets[0]) if factor_sheets else _stored_factors(store, release)
    if not factors:
        return _put_units(store, units, release, used[0].name)
    if not units:
        raise ReferenceFileError(
            f"{used[0].name}: the factors need the codes of CMS's list of anesthesia base units; give that file "
            "too, or load it first"
        )
    by_state: dict[str, list[AnesthesiaFactor]] = defaultdict(list)
    unknown = []
    for factor in factors:
        state = state_of_locality(factor.contractor, factor.locality)
        if state is None:
            unknown.append(factor)
        else:
            by_state[state].append(factor)
    notes = [
        f"dollars per unit, mean over {len(factors) - len(unknown)} localities in {len(by_state)} states",
        f"base units from {unit_sheets[0].name if unit_sheets else 'the list loaded before'}",
    ]
    if unknown:
        named = ", ".join(f"{factor.contractor} {factor.locality} {factor.name}" for factor in unknown)
        notes.append(f"localities of contractors that this version does not know are left out: {named}")

    def rows_of(state: str) -> pl.DataFrame:
        cents = [factor.cents for factor in by_state[state]]
        return _code_rows(units, release).with_columns(
            state=pl.lit(state), amount=pl.lit(sum(cents) / (100 * len(cents))), reason=pl.lit(None, pl.String)
        )

    loaded = LoadedBenchmark(
        kind="anesthesia",
        release=release,
        files=tuple(sheet.name for sheet in used),
        rows_read=len(units),
        rows_priced=len(units),
        left_out={},
        notes=tuple(notes),
        states=tuple(sorted(by_state)),
    )
    by_locality = {BENCH_ANESTHESIA_LOCALITY: _locality_rows(by_state, release)}
    return put_release(store, BENCH_ANESTHESIA, rows_of, loaded, by_locality)


def _put_units(store: Store, units: dict[str, int], release: str, name: str) -> LoadedBenchmark:
    """Put base units alone into the store: the factors loaded afterwards take their codes from there."""
    loaded = LoadedBenchmark(
        kind="anesthesia",
        release=release,
        files=(name,),
        rows_read=len(units),
        rows_priced=len(units),
        left_out={},
        notes=("base units only: load the conversion factors of a year for amounts per unit",),
        states=(NATION,),
    )

    def rows_of(state: str) -> pl.DataFrame:
        return _code_rows(units, release).with_columns(
            state=pl.lit(state), amount=pl.lit(None, pl.Float64), reason=pl.lit(NOT_PRICED)
        )

    return put_release(store, BENCH_ANESTHESIA, rows_of, loaded)


def _code_rows(units: dict[str, int], release: str) -> pl.DataFrame:
    codes = sorted(units)
    return pl.DataFrame(
        {
            "code_type": [medicare_code_system(code) for code in codes],
            "code": codes,
            # 01999 has no units: its cases are priced by report.
            "base_units": pl.Series([units[code] or None for code in codes], dtype=pl.Int64),
        }
    ).with_columns(modifier=pl.lit(""), release=pl.lit(release))


def _locality_rows(by_state: dict[str, list[AnesthesiaFactor]], release: str) -> Iterator[pa.Table]:
    for state in sorted(by_state):
        factors = sorted(by_state[state], key=lambda factor: (factor.contractor, factor.locality))
        rows = pl.DataFrame(
            {
                "contractor": [factor.contractor for factor in factors],
                "locality": [factor.locality for factor in factors],
                "locality_name": [factor.name for factor in factors],
                "factor": [factor.cents / 100 for factor in factors],
            }
        ).with_columns(state=pl.lit(state), release=pl.lit(release))
        yield encode_text_columns(rows, BENCH_ANESTHESIA_LOCALITY)


def _read_release(sheets: list[Sheet]) -> str:
    """Return January of the year of the first file, the factors if given. Raise ReferenceFileError if it says none."""
    kind = recognize.kind_of_sheet(sheets[0])
    year = named_year(sheets[0], kind) if kind else None
    if year is None:
        raise ReferenceFileError(
            f"{sheets[0].name}: neither titles nor file name say which year this is; name its first month with "
            "--year-month"
        )
    return f"{year}-01"


def _stored_units(store: Store) -> dict[str, int]:
    """Return the base units of the newest release in the store, or none."""
    paths = store.paths(BENCH_ANESTHESIA.name)
    if not paths:
        return {}
    rows = pl.scan_parquet(paths).select("release", "code", "base_units").unique().collect()
    newest = rows.filter(pl.col("release") == rows["release"].max())
    return {code: units or 0 for code, units in newest.select("code", "base_units").iter_rows()}


def _stored_factors(store: Store, release: str) -> list[AnesthesiaFactor]:
    """Return the factors of a release in the store, or none."""
    paths = store.paths(BENCH_ANESTHESIA_LOCALITY.name)
    if not paths:
        return []
    rows = pl.scan_parquet(paths).filter(pl.col("release") == release).collect()
    return [
        AnesthesiaFactor(contractor, locality, name, round(factor * 100))
        for contractor, locality, name, factor in rows.select(
            "contractor", "locality", "locality_name", "factor"
        ).iter_rows()
    ]
