"""Fee schedules as files, and the rows that loading them puts into a store."""

from pathlib import Path
from typing import Any

import xlsxwriter

from core.store.generations.store import Store
from tests.stores import open_snapshot


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def stored(store: Store, name: str = "bench_wcfs", month: str = "2024-01") -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the rows of a state's month (or of the modifiers' table) by code system, code, and modifier."""
    where = f"WHERE year_month = '{month}'" if name == "bench_wcfs" else ""
    with open_snapshot(store).cursor() as cursor:
        answer = cursor.execute(f"FROM {name} {where}")
        columns = [column[0] for column in answer.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]
    keyed = {tuple(row[key] for key in ("code_type", "code", "modifier") if key in row): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed
