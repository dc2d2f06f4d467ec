"""A state's workers' compensation fee schedule into the store."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from core.fields.month import MONTH_PATTERN
from core.fields.states import STATES
from core.reference.benchmark_release import LoadedBenchmark, encode_text_columns, put_release
from core.reference.recognize import FILE_KINDS, find_header
from core.reference.spreadsheets import read_sheets
from core.reference.workers_comp.schedule_sheets import (
    AMOUNTS,
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
  wcfs            one state's workers' compensation fee schedule: Georgia's workbook and North Carolina's csv as they
                  are; of any other table, name the columns by their titles (code or ms_drg; modifier; the dollars of
                  amount, facility, outpatient, asc, rural; units of anesthesia). State and year are taken from the
                  file's name where it has them

    manage.py load_benchmark wcfs GA_2024_medical_fee_schedule.xlsx
    manage.py load_benchmark wcfs --state NC --year-month 2025-01 NC_fee_schedule.csv
    manage.py load_benchmark wcfs --state AL --year-month 2025-03 --sheet Fees \\
        --columns 'code=CPT/HCPCS,modifier=Mod,amount=Maximum Fee' fees.xlsx
"""

_COLUMNS = {part: "base_units" if part == "units" else f"{part}_amount" for part in AMOUNTS} | {"amount": "wcfs_amount"}
"""A field, and its column in the store."""


def load(
    store: Store,
    paths: list[Path],
    *,
    state: str | None = None,
    year_month: str | None = None,
    columns: str | None = None,
    sheet: str | None = None,
) -> LoadedBenchmark:
    """Loads one state's release. Raises ReferenceFileError and StoreError; the store is then as it was."""
    state = state or _stated_state(paths)
    release = year_month or _stated_year(paths)
    schedule = _read(paths, parse_columns(columns) if columns else None, sheet)
    whole = add_up(schedule.sheets)
    loaded = LoadedBenchmark(
        kind="wcfs",
        release=release,
        files=tuple(path.name for path in paths),
        rows_read=whole.rows,
        rows_priced=whole.priced,
        left_out=dict(whole.left_out),
        states=(state,),
        notes=tuple(str(one) for one in schedule.sheets),
        state=state,
    )
    return put_release(
        store,
        BENCH_WCFS,
        lambda _state: _plain_rows(schedule, state, release),
        loaded,
        {BENCH_WCFS_MODIFIER: _modifier_rows(schedule, state, release)},
    )


def _read(paths: list[Path], columns: dict[str, str] | None, wanted: str | None) -> CompensationSchedule:
    schedule = CompensationSchedule()
    for path in paths:
        before, known = len(schedule.lines), ""
        for one in read_sheets(path):
            if wanted is None or wanted.casefold() == one.sheet.casefold():
                schedule.add(one, columns)
                known = known or next((kind for kind in FILE_KINDS if find_header(one.rows, kind) is not None), "")
            else:
                schedule.skip(one, f"not the sheet {wanted}")
        if len(schedule.lines) == before:
            if known:
                raise ReferenceFileError(f"{path.name}: this is {FILE_KINDS[known].name} ({FILE_KINDS[known].command})")
            why = "; ".join(str(one) for one in schedule.sheets)
            raise ReferenceFileError(
                f"{path.name}: no fee schedule found ({why}); name its columns: --columns code=TITLE,amount=TITLE"
            )
    return schedule


# --- what the files' names say ---------------------------------------------------------------------------------


def _stated_state(paths: list[Path]) -> str:
    found = {state for path in paths for state in _states_in(path.name)}
    if len(found) != 1:
        raise ReferenceFileError(
            f"{paths[0].name}: its name does not say whose schedule it is; give the state: --state GA"
        )
    return found.pop()


def _states_in(name: str) -> set[str]:
    """The states that a file's name begins with or spells out."""
    start = re.match(r"([A-Z]{2})(?=[_ -])", name)
    if start and start[1] in STATES:
        return {start[1]}
    words = re.sub(r"[^a-z]+", " ", name.lower())
    spelled = {code: state.lower() for code, state in STATES.items() if f" {state.lower()} " in f" {words} "}
    # West Virginia holds Virginia.
    return {
        code for code, one in spelled.items() if not any(one in other and one != other for other in spelled.values())
    }


def _stated_year(paths: list[Path]) -> str:
    """The month a file's name says, or January of the year it says."""
    found = set()
    for path in paths:
        match = re.search(rf"(?<!\d)(?:({MONTH_PATTERN})|20\d\d)(?!\d)", path.name)
        if match:
            found.add(match[1] or f"{match[0]}-01")
    if len(found) != 1:
        raise ReferenceFileError(
            f"{paths[0].name}: its name does not say from when the amounts are in force; give the first month: "
            "--year-month 2025-01"
        )
    return found.pop()


# --- rows ------------------------------------------------------------------------------------------------------


def _plain_rows(schedule: CompensationSchedule, state: str, release: str) -> pl.DataFrame:
    """The rows of bench_wcfs but year_month: one for each code, whether it has a line of its own or by modifier."""
    own = {key[:2]: line for key, line in schedule.lines.items() if not key[2]}
    by_modifier = {key[:2]: None for key in schedule.lines if key[:2] not in own}
    rows = [
        (state, *code, *_figures(line), _status(line), release) for code, line in sorted({**by_modifier, **own}.items())
    ]
    return _frame([name for name in BENCH_WCFS.names if name != "year_month"], rows)


def _modifier_rows(schedule: CompensationSchedule, state: str, release: str) -> Iterator[pa.Table]:
    """The rows of bench_wcfs_modifier."""
    lines: list[tuple[ScheduleKey, ScheduleLine]] = sorted(
        (item for item in schedule.lines.items() if item[0][2]), key=lambda i: i[0]
    )
    rows = [(release, state, *key, *_figures(line), _status(line)) for key, line in lines]
    if rows:
        yield encode_text_columns(_frame(list(BENCH_WCFS_MODIFIER.names), rows), BENCH_WCFS_MODIFIER)


def _frame(names: list[str], rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    numbers = set(_COLUMNS.values())
    return pl.DataFrame(rows, schema={n: pl.Float64 if n in numbers else pl.String for n in names}, orient="row")


def _figures(line: ScheduleLine | None) -> list[float | None]:
    figures = line.figures if line else {}
    return [float(figures[part]) if part in figures else None for part in AMOUNTS]


def _status(line: ScheduleLine | None) -> str:
    if line is None:
        return "modifiers only"
    if "amount" in line.figures:
        return "priced"
    if "units" in line.figures:
        return "base units"
    return "by report" if line.by_report else "no amount"
