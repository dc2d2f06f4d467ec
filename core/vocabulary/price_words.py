"""Words of a search that name a price: "under $300". Rates are not searched by amount."""

import re

_AMOUNT = r"(?:\$\s*\d[\d,]*(?:\.\d+)?k?|\d[\d,]*(?:\.\d+)?\s*(?:dollars|bucks|usd))"
_BEFORE = (
    r"(?:(?:for\s+)?(?:under|below|over|above|around|about|within|up\s+to|at\s+most|at\s+least|max|maximum|"
    r"(?:less|more|cheaper|lower|higher)\s+than)\s+)?"
)
_TWO = rf"{_AMOUNT}(?:\s*(?:-|to|and)\s*{_AMOUNT})?(?:\s+or\s+(?:less|more))?"
_PRICE = re.compile(rf"(?<!\S){_BEFORE}{_TWO}(?![^\s,;.?!])", re.IGNORECASE)


def set_aside_price(text: str) -> tuple[str, str]:
    """Return a text without the price that it names, and the words of the price; empty words if it names none."""
    found = _PRICE.search(text)
    if found is None:
        return text, ""
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    return " ".join(rest.split()), " ".join(found.group().split())
