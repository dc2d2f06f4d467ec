"""Read the fixed-width txt files that CMS packs beside its csv files, as the rows that the csv twin has.

These files have no header, so each layout brings the one of its twin. Lines that do not fit (titles, copyright notices,
footnotes) come before it: a release may be named there.
"""

import re
from dataclasses import dataclass

_SAMPLE = 400
"""How many lines decide which layout a file has."""


@dataclass(frozen=True)
class FixedWidthLayout:
    """A fixed-width file: the header of its twin, and what a line looks like, with a group for each column."""

    header: tuple[str, ...]
    line: re.Pattern[str]
    cents: bool = False
    """Whether the last column is an amount in cents, without a decimal point."""


_MONEY = r" *(\d+\.\d\d)"

LAYOUTS = (
    # PPRRVU. Between the malpractice value and the conversion factor there are indicators that no loader needs.
    FixedWidthLayout(
        header=(
            "HCPCS", "MOD", "DESCRIPTION", "STATUS CODE", "PAYMENT", "WORK RVU", "NON-FAC PE RVU", "NA INDICATOR",
            "FACILITY PE RVU", "NA INDICATOR", "MP RVU", "FACTOR", "AMOUNT", "AMOUNT", "AMOUNT",
        ),
        line=re.compile(
            r"([0-9A-Z]{5})([0-9A-Z ]{2})(.{50})([A-Z])(.)([ \d.]{6})([ \d.]{7})(NA|  )([ \d.]{7})(NA|  )([ \d.]{6})"
            rf".{{38,50}}?(\d\d\.\d{{4}}).{{7}}{_MONEY}{_MONEY}{_MONEY}\s*"
        ),
    ),
    FixedWidthLayout(
        header=("HCPCS", "MOD", "PROCSTAT", "CARRIER", "LOCALITY", "FACILITY PRICE", "NON-FACILITY PRICE"),
        line=re.compile(rf"([0-9A-Z]{{5}})([0-9A-Z ]{{2}}) ([A-Z]) (\d{{5}})  (\d\d){_MONEY}{_MONEY}\s*"),
    ),
    FixedWidthLayout(
        header=(
            "CONTRACTOR", "STATE", "LOCALITY NUMBER", "LOCALITY NAME", "PW GPCI", "PE GPCI", "MP GPCI",
        ),
        line=re.compile(r"(\d{5}) +([A-Z]{2}) +(\d\d) +(\S.*?) {2,}(\d\.\d{3}) +(\d\.\d{3}) +(\d\.\d{3})\s*"),
    ),
    FixedWidthLayout(
        header=("CONTRACTOR", "LOCALITY", "LOCALITY NAME", "NATIONAL ANES CF"),
        line=re.compile(r"(\d{5}) +(\d\d) +(\S.*?) {2,}(\d{4})\s*"),
        cents=True,
    ),
    FixedWidthLayout(
        header=("MEDICARE ADMINISTRATIVE CONTRACTOR", "LOCALITY NUMBER", "FEE SCHEDULE AREA", "COUNTIES"),
        line=re.compile(r" +(\d{5}) +(\d\d) {2,}(\S.*?) {2,}(\S.*?)\s*"),
    ),
)  # fmt: skip


def read_fixed_width(text: str) -> list[list[str]] | None:
    """Return the rows of a fixed-width file, not trimmed, or None if the text has no layout that is known."""
    lines = [line for line in text.splitlines() if line.strip()]
    sample = lines[:_SAMPLE]
    for layout in LAYOUTS:
        if 2 * sum(layout.line.fullmatch(line) is not None for line in sample) > len(sample):
            return _convert(lines, layout)
    return None


def _convert(lines: list[str], layout: FixedWidthLayout) -> list[list[str]]:
    titles: list[list[str]] = []
    rows: list[list[str]] = []
    for line in lines:
        found = layout.line.fullmatch(line)
        if found is None:
            titles.append([line])
            continue
        row = list(found.groups())
        if layout.cents:
            row[-1] = f"{row[-1][:-2]}.{row[-1][-2:]}"
        rows.append(row)
    return [*titles, list(layout.header), *rows]
