"""Load a state's workers' compensation fee schedule."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from core.fields.month import MONTH_PATTERN
from core.fields.places.states import STATES
from core.reference.benchmark_release import LoadedBenchmark, encode_text_columns, put_release
from core.reference.recognize import BASE_UNITS, COMPENSATION, FILE_KINDS, kind_of_sheet
from core.reference.spreadsheets import read_sheets
from core.reference.workers_comp.schedule_sheets import (
    IN_UNITS,
    CompensationSchedule,
    ScheduleKey,
    ScheduleLine,
    SheetOutcome,
    add_up,
    parse_columns,
)
from core.reference.workers_comp.stored_schedule import AMOUNT_COLUMNS, StoredSchedule, read_stored_schedule
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store, Transaction
from core.store.schema.tables import BENCH_WCFS, BENCH_WCFS_MODIFIER

HELP = """\
  wcfs            One state's workers' compensation fee schedule. The workbooks of Georgia and Arizona and North
                  Carolina's csv are read as they are. For any other table, name the columns by their titles: code or
                  ms_drg; modifier; amounts in dollars (amount, facility, outpatient, asc, rural); units of anesthesia.
                  State and year are taken from the file's name if it has them. A table that is loaded later adds to
                  the release: codes that it has in common replace what is there. --start-over forgets what is
                  there.

    manage.py load_benchmark wcfs GA_2024_medical_fee_schedule.xlsx
    manage.py load_benchmark wcfs --state NC --year-month 2025-01 NC_fee_schedule.csv
    manage.py load_benchmark wcfs --state AL --year-month 2025-03 --sheet Fees \\
        --columns 'code=CPT/HCPCS,modifier=Mod,amount=Maximum Fee' fees.xlsx
"""


def load(
    store: Store,
    paths: list[Path],
    *,
    state: str | None = None,
    year_month: str | None = None,
    columns: str | None = None,
    sheet: str | None = None,
    start_over: bool = False,
) -> LoadedBenchmark:
    """Load one state's release, or add to it what the files have; with `start_over`, forget what it had.

    Raise ReferenceFileError or StoreError if that fails; the store is then unchanged.
    """
    state = state or _state_from_names(paths)
    release = year_month or _month_from_names(paths)
    schedule = _read_schedule(paths, parse_columns(columns) if columns else None, sheet)
    loaded = _outcome(schedule.sheets, state, release, [path.name for path in paths])
    added: list[str] = []

    def add_to_stored(connection: duckdb.DuckDBPyConnection, transaction: Transaction) -> LoadedBenchmark:
        stored = StoredSchedule() if start_over else read_stored_schedule(connection, transaction, state, release)
        added.extend(_add_stored(schedule, stored))
        sheets = stored.sheets_beside(schedule.sheets)
        skipped = tuple(str(one) for one in schedule.sheets if one.skipped)
        files = list(dict.fromkeys([*(one.file for one in sheets), *loaded.files]))
        record = _outcome(sheets, state, release, files)
        return replace(record, notes=(*record.notes, *skipped), parts=tuple(one.to_json() for one in sheets))

    loaded = put_release(
        store,
        BENCH_WCFS,
        lambda _state: _code_rows(schedule, state, release),
        loaded,
        {BENCH_WCFS_MODIFIER: _modifier_rows(schedule, state, release)},
        complete=add_to_stored,
    )
    return replace(loaded, notes=(*loaded.notes, *added))


def _outcome(sheets: Sequence[SheetOutcome], state: str, release: str, files: Sequence[str]) -> LoadedBenchmark:
    total = add_up(sheets)
    several = len({one.file for one in sheets if not one.skipped}) > 1
    return LoadedBenchmark(
        kind="wcfs",
        release=release,
        files=tuple(files),
        rows_read=total.rows,
        rows_priced=total.priced,
        left_out=dict(total.left_out),
        states=(state,),
        notes=tuple(f"{one.file}: {one}" if several and one.file != one.name else str(one) for one in sheets),
        state=state,
    )


def _add_stored(schedule: CompensationSchedule, stored: StoredSchedule) -> list[str]:
    """Add the lines of earlier loads to the schedule, whose own take precedence. Return a note if there are any."""
    in_both = schedule.lines.keys() & stored.lines.keys()
    for key, earlier in stored.lines.items():
        line = schedule.lines.get(key)
        schedule.lines[key] = line.added_to(earlier) if line else earlier
    if not stored.lines:
        return []
    note = (
        f"added to the release: of its {len(stored.lines):,} codes and modifiers {len(in_both):,} were replaced and "
        f"{len(stored.lines) - len(in_both):,} stay (--start-over forgets them)"
    )
    return [note]


def _read_schedule(paths: list[Path], columns: dict[str, str] | None, wanted: str | None) -> CompensationSchedule:
    """Read the sheets of the files, or only the `wanted` one. Raise ReferenceFileError if a file has no amount."""
    schedule = CompensationSchedule()
    for path in paths:
        first, kinds = len(schedule.sheets), set()
        for sheet in read_sheets(path):
            if wanted is None or wanted.strip().casefold() == sheet.sheet.strip().casefold():
                schedule.add(sheet, columns)
                kinds.add(kind_of_sheet(sheet))
            else:
                schedule.skip(sheet, f"not the sheet {wanted}")
        read = schedule.sheets[first:]
        federal = next((kind for kind in kinds if kind not in {None, COMPENSATION}), None)
        if not any(one.rows for one in read):
            if federal:
                raise ReferenceFileError(
                    f"{path.name}: this is {FILE_KINDS[federal].name} ({FILE_KINDS[federal].command})"
                )
            why = "; ".join(str(outcome) for outcome in read)
            raise ReferenceFileError(
                f"{path.name}: no fee schedule found ({why}); name its columns: --columns code=TITLE,amount=TITLE"
            )
        _expect_amounts(path, read, is_federal_units=kinds == {BASE_UNITS} and columns is None and wanted is None)
    return schedule


def _expect_amounts(path: Path, sheets: list[SheetOutcome], *, is_federal_units: bool) -> None:
    """Raise ReferenceFileError if a file has neither an amount nor base units, or looks like CMS's base units."""
    total = add_up(sheets)
    if is_federal_units and not total.priced:
        kind = FILE_KINDS[BASE_UNITS]
        raise ReferenceFileError(
            f"{path.name}: this looks like {kind.name} ({kind.command}); if it is a state's own, name its columns: "
            "--columns code=TITLE,units=TITLE"
        )
    if not total.priced and not total.left_out[IN_UNITS]:
        why = ", ".join(f"{count:,} {reason}" for reason, count in total.left_out.items())
        raise ReferenceFileError(
            f"{path.name}: none of its {total.rows:,} rows has an amount ({why}); expected a table with amounts: name "
            "the columns that have them: --columns code=TITLE,amount=TITLE"
        )


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
    numbers = set(AMOUNT_COLUMNS.values())
    return pl.DataFrame(rows, schema={name: pl.Float64 if name in numbers else pl.String for name in names})


def _amounts(line: ScheduleLine | None) -> dict[str, float | None]:
    amounts = line.amounts if line else {}
    return {column: float(amounts[part]) if part in amounts else None for part, column in AMOUNT_COLUMNS.items()}


def _status(line: ScheduleLine | None) -> str:
    if line is None:
        return "modifiers only"
    if "amount" in line.amounts:
        return "priced"
    if "units" in line.amounts:
        return "base units"
    return "by report" if line.by_report else "no amount"
