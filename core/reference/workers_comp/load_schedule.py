"""Load a state's workers' compensation fee schedule."""

import re
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from core.fields.month import MONTH_PATTERN
from core.fields.states import STATES
from core.reference.benchmark_release import LoadedBenchmark, encode_text_columns, put_release
from core.reference.recognize import FILE_KINDS, kind_of_sheet
from core.reference.spreadsheets import read_sheets
from core.reference.workers_comp.schedule_sheets import (
    CompensationSchedule,
    ScheduleKey,
    ScheduleLine,
    add_up,
    parse_columns,
)
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from core.store.schema.tables import BENCH_WCFS, BENCH_WCFS_MODIFIER

HELP = """\
  wcfs            One state's workers' compensation fee schedule. Georgia's workbook and North Carolina's csv are read
                  as they are. For any other table, name the columns by their titles: code or ms_drg; modifier; amounts
                  in dollars (amount, facility, outpatient, asc, rural); units of anesthesia. State and year are taken
                  from the file's name if it has them.

    manage.py load_benchmark wcfs GA_2024_medical_fee_schedule.xlsx
    manage.py load_benchmark wcfs --state NC --year-month 2025-01 NC_fee_schedule.csv
    manage.py load_benchmark wcfs --state AL --year-month 2025-03 --sheet Fees \\
        --columns 'code=CPT/HCPCS,modifier=Mod,amount=Maximum Fee' fees.xlsx
"""

_AMOUNT_COLUMNS = {
    "amount": "wcfs_amount",
    "facility": "facility_amount",
    "outpatient": "outpatient_amount",
    "asc": "asc_amount",
    "rural": "rural_amount",
    "units": "base_units",
}
"""The columns of the store by the fields of AMOUNTS."""


def load(
    store: Store,
    paths: list[Path],
    *,
    state: str | None = None,
    year_month: str | None = None,
    columns: str | None = None,
    sheet: str | None = None,
) -> LoadedBenchmark:
    """Load one state's release. Raise ReferenceFileError or StoreError if that fails; the store is then unchanged."""
    state = state or _state_from_names(paths)
    release = year_month or _month_from_names(paths)
    schedule = _read_schedule(paths, parse_columns(columns) if columns else None, sheet)
    total = add_up(schedule.sheets)
    loaded = LoadedBenchmark(
        kind="wcfs",
        release=release,
        files=tuple(path.name for path in paths),
        rows_read=total.rows,
        rows_priced=total.priced,
        left_out=dict(total.left_out),
        states=(state,),
        notes=tuple(str(outcome) for outcome in schedule.sheets),
        state=state,
    )
    return put_release(
        store,
        BENCH_WCFS,
        lambda _state: _code_rows(schedule, state, release),
        loaded,
        {BENCH_WCFS_MODIFIER: _modifier_rows(schedule, state, release)},
    )


def _read_schedule(paths: list[Path], columns: dict[str, str] | None, wanted: str | None) -> CompensationSchedule:
    """Read the sheets of the files, or only the `wanted` one. Raise ReferenceFileError if a file has no line."""
    schedule = CompensationSchedule()
    for path in paths:
        before, kind = len(schedule.lines), None
        for sheet in read_sheets(path):
            if wanted is None or wanted.casefold() == sheet.sheet.casefold():
                schedule.add(sheet, columns)
                kind = kind or kind_of_sheet(sheet)
            else:
                schedule.skip(sheet, f"not the sheet {wanted}")
        if len(schedule.lines) == before:
            if kind:
                raise ReferenceFileError(f"{path.name}: this is {FILE_KINDS[kind].name} ({FILE_KINDS[kind].command})")
            why = "; ".join(str(outcome) for outcome in schedule.sheets)
            raise ReferenceFileError(
                f"{path.name}: no fee schedule found ({why}); name its columns: --columns code=TITLE,amount=TITLE"
            )
    return schedule


# --- what the files' names say ---------------------------------------------------------------------------------


def _state_from_names(paths: list[Path]) -> str:
    found = {state for path in paths for state in _states_in(path.name)}
    if len(found) != 1:
        raise ReferenceFileError(
            f"{paths[0].name}: its name does not say which state's schedule it is; name the state: --state GA"
        )
    return found.pop()


def _states_in(name: str) -> set[str]:
    """Return the states that a file's name begins with or spells out."""
    start = re.match(r"([A-Z]{2})(?=[_ -])", name)
    if start and start[1] in STATES:
        return {start[1]}
    words = re.sub(r"[^a-z]+", " ", name.lower())
    spelled = {code: state.lower() for code, state in STATES.items() if f" {state.lower()} " in f" {words} "}
    # "west virginia" also spells out Virginia.
    return {
        code for code, one in spelled.items() if not any(one in other and one != other for other in spelled.values())
    }


def _month_from_names(paths: list[Path]) -> str:
    """Return the month that the files' names say, or January of the year they say."""
    found = set()
    for path in paths:
        match = re.search(rf"(?<!\d)(?:({MONTH_PATTERN})|20\d\d)(?!\d)", path.name)
        if match:
            found.add(match[1] or f"{match[0]}-01")
    if len(found) != 1:
        raise ReferenceFileError(
            f"{paths[0].name}: its name does not say when the amounts take effect; name the first month: "
            "--year-month 2025-01"
        )
    return found.pop()


# --- rows ------------------------------------------------------------------------------------------------------


def _code_rows(schedule: CompensationSchedule, state: str, release: str) -> pl.DataFrame:
    """Return the rows of bench_wcfs without year_month: one per code, including codes that only have modifiers."""
    lines: dict[ScheduleKey, ScheduleLine | None] = {key._replace(modifier=""): None for key in schedule.lines}
    lines |= {key: line for key, line in schedule.lines.items() if not key.modifier}
    rows = [
        {
            "state": state,
            "code_type": key.code_type,
            "code": key.code,
            **_amounts(line),
            "wcfs_status": _status(line),
            "release": release,
        }
        for key, line in sorted(lines.items(), key=itemgetter(0))
    ]
    return _frame(rows, [name for name in BENCH_WCFS.names if name != "year_month"])


def _modifier_rows(schedule: CompensationSchedule, state: str, release: str) -> Iterator[pa.Table]:
    """Yield the rows of bench_wcfs_modifier."""
    rows = [
        {
            "release": release,
            "state": state,
            **key._asdict(),
            **_amounts(line),
            "wcfs_status": _status(line),
        }
        for key, line in sorted(schedule.lines.items(), key=itemgetter(0))
        if key.modifier
    ]
    if rows:
        yield encode_text_columns(_frame(rows, BENCH_WCFS_MODIFIER.names), BENCH_WCFS_MODIFIER)


def _frame(rows: list[dict[str, Any]], names: Sequence[str]) -> pl.DataFrame:
    numbers = set(_AMOUNT_COLUMNS.values())
    return pl.DataFrame(rows, schema={name: pl.Float64 if name in numbers else pl.String for name in names})


def _amounts(line: ScheduleLine | None) -> dict[str, float | None]:
    amounts = line.amounts if line else {}
    return {column: float(amounts[part]) if part in amounts else None for part, column in _AMOUNT_COLUMNS.items()}


def _status(line: ScheduleLine | None) -> str:
    if line is None:
        return "modifiers only"
    if "amount" in line.amounts:
        return "priced"
    if "units" in line.amounts:
        return "base units"
    return "by report" if line.by_report else "no amount"
