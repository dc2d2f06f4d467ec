"""Read the first sheet of a workbook and compute its formulas, as a spreadsheet does."""

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from typing import Any


def read_first_sheet(content: bytes) -> dict[str, tuple[str, Any]]:
    """Return the cells of a workbook's first sheet: the formula, empty for none, and the value that stands there."""
    sheet = ET.fromstring(zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml"))
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    found = {}
    for cell in sheet.iter(f"{main}c"):
        value = cell.findtext(f"{main}v")
        text = cell.findtext(f"{main}is/{main}t") or ""
        is_number = value is not None and cell.get("t") in {None, "n"}
        found[cell.attrib["r"]] = (cell.findtext(f"{main}f") or "", float(value or 0) if is_number else value or text)
    return found


def compute(cells: dict[str, tuple[str, Any]], at: str) -> Any:
    """Return the value of a cell as a spreadsheet computes it, as far as the sheet's own formulas need."""
    formula, value = cells.get(at, ("", ""))
    if not formula:
        return value
    if ranged := re.fullmatch(r'IF\(COUNT\(([A-Z])(\d+):[A-Z](\d+)\)=0,"",(SUMIF|SUM)\([^()]*\)\)', formula):
        values = [compute(cells, f"{ranged[1]}{row}") for row in range(int(ranged[2]), int(ranged[3]) + 1)]
        known = [one for one in values if one != ""]
        return sum(one for one in known if ranged[4] == "SUM" or one < 0) if known else ""
    if raised := re.fullmatch(r"MAX\(0,(.*?)\)\*([A-Z]\d+)", formula):
        return max(0, compute({**cells, "rise": (raised[1], None)}, "rise")) * compute(cells, raised[2])
    if chosen := re.fullmatch(r"IF\(([A-Z]\d+)=([^,]*),([^,]*),(.*)\)", formula):
        wanted = chosen[2].strip('"')
        is_so = str(compute(cells, chosen[1])) == (str(float(wanted)) if wanted else "")
        return compute({**cells, "then": (chosen[3] if is_so else chosen[4], None)}, "then")
    if both := re.fullmatch(r"([A-Z]\d+)([-*/])([A-Z]\d+)", formula):
        left, right = compute(cells, both[1]), compute(cells, both[3])
        return {"-": left - right, "*": left * right, "/": left / right if right else None}[both[2]]
    if re.fullmatch(r"[A-Z]\d+", formula):
        return compute(cells, formula)
    return "" if formula == '""' else float(formula)
