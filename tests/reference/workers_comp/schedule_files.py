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


def arizona(path: Path) -> Path:
    """Write a small workbook in Arizona's layout: one sheet with everything, and its parts in sheets of their own."""
    fees = ["Code", "Category", "FY24 NF RVU", "FY24 FAC RVU", "FY24 NF RBRVS Rate", "FY24 FAC RBRVS Rate"]
    visit = ["99213 00", "E&M", 1.89, 1.36, 128.52, 92.48]
    sheets: dict[str, list[list[Any]]] = {
        "RBRVS FeeSchedule2024": [
            ["RBRVS Conversion Factors"],
            ["Anesthesia", "", 61.0],
            [*fees, "FY24 \nNon-rural Rate", "FY24 \nRural Rate"],
            visit,
            ["70450 00", "Radiology", 3.01, 3.01, 210.7, 210.7],
            ["70450 26", "Radiology", 1.15, 1.15, 80.5, 80.5],
            ["11111 00", "Surgery", 0, 0, "BR", "BR"],
            ["A2001   ", "HCPCS", "", "", "", "", 737.28, 700.0],
            ["G0480-G0483, G0659 00", "a note"],
        ],
        "Anesthesia ": [
            ["Anesthesia Conversion Factor $61.00"],
            ["Code", "Category", "Base Unit", "RBRVS Rate"],
            ["00100", "Anesthesia", 5.0, 305.0],
        ],
        "E&M": [["ARIZONA PHYSICIANS' FEE SCHEDULE"], fees, visit],
        "HCPCS": [
            ["Code", "Modifier", "FY24 \nNon-rural Rate", "FY24 \nRural Rate"],
            ["A2001   ", "", 737.28, 700.0],
        ],
        "AZ Specific": [
            ["Code", "Category", "Description", "FY24 NF RBRVS Rate", "FY24 FAC RBRVS Rate"],
            ["AZ001 00", "AZ Specific Codes", "a call", 75.0, 75.0],
        ],
    }
    return workbook(path, **sheets)
