"""Write schedules of labs, drugs, and equipment in each layout that CMS publishes."""

import csv
import io
from pathlib import Path

import xlsxwriter

from core.demo.item_fees import STATES, Grid


def write_csv(path: Path, rows: Grid) -> Path:
    """Write a csv file in the encoding of CMS's."""
    with path.open("w", newline="", encoding="cp1252") as file:
        csv.writer(file).writerows(rows)
    return path


def write_xlsx(path: Path, rows: Grid, numbers: tuple[str, ...] = ()) -> Path:
    """Write a workbook with one sheet. The columns with a title of `numbers` have numbers in their cells."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet("Fees")
    titles = next(row for row in rows if set(numbers) <= set(row))
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            title = titles[at] if at < len(titles) else ""
            value = float(cell) if title in numbers and cell.replace(".", "").isdigit() else cell
            sheet.write(number, at, value)
    book.close()
    path.write_bytes(buffer.getvalue())
    return path


def write_lab_text(path: Path, rows: Grid) -> Path:
    """Write a laboratory schedule as text of fixed width: tildes, two lines of notice, no header."""
    header = next(n for n, row in enumerate(rows) if "HCPCS" in row)
    lines = ["HDR~A notice of rights.", "HDR~All rights, reserved."]
    for year, code, modifier, effective, indicator, rate, *_ in rows[header + 1 :]:
        lines.append("~".join([year, code, modifier.ljust(2), effective, indicator, rate, 'a "test', ""][:7]))
    path.write_bytes("\r\n".join([*lines, "\x1a"]).encode("cp1252"))
    return path


def write_equipment_text(path: Path, rows: Grid, year: str = "2025") -> Path:
    """Write a DMEPOS or PEN schedule as text: a row for each state, with the rural amount in the base year's field.

    Where there is no rural amount, that field has a fee of the base year, which is not a price.
    """
    header = next(n for n, row in enumerate(rows) if "HCPCS" in row)
    first = next(n for n, title in enumerate(rows[header]) if title.replace(" ", "") == f"{STATES[0]}(NR)")
    lines = []
    for row in rows[header + 1 :]:
        code, one, two = row[0], row[1].ljust(2), row[2].ljust(2)
        for at, state in enumerate(STATES):
            plain, rural = (cell.replace(",", "").rjust(9, "0") for cell in row[first + 2 * at : first + 2 * at + 2])
            own = float(rural) > 0
            base, mark, place = (rural if own else "000011.11"), "R" if own else " ", state.ljust(7)
            if first > 3:
                fields = [year, code, one, two, *row[3:5], "A", "00", place, base, "000000.00", "000000.00"]
                fields += [plain, "0", "0", mark, 'An "item", of some kind']
            else:
                fields = [year, code, one, two, base, place, plain.ljust(14), mark, "Nutrition"]
            lines.append("~".join(fields))
    path.write_bytes("\r\n".join([*lines, "\x1a"]).encode("cp1252"))
    return path
