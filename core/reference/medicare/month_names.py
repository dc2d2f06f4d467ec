"""Read the month names by which CMS's files say which quarter they are for."""

MONTH_NUMBERS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}  # fmt: skip

MONTH_NAME_PATTERN = "|".join(MONTH_NUMBERS)
"""The first three letters of a month's name, as a regular expression without anchors."""


def release_month(year: str, name: str) -> str:
    """Return YYYY-MM of a year in four digits and a month's name, or of the name's first three letters."""
    return f"{year}-{MONTH_NUMBERS[name[:3].lower()]:02}"
