"""Find provider group ids that a file defines in two spellings of one number: 320.2597 and 320.25970.

A number has one text, so that a definition and its uses meet however each is written. But where a file defines both
spellings they are two groups, and each text is an id of its own. Such a file is read twice, which is simpler than
keeping both texts of every id: no well-formed file does it.
"""

from decimal import Decimal
from pathlib import Path

import polars as pl

from core.fields.texts.text import write_number


def find_ids_in_two_spellings(spools: Path) -> frozenset[str]:
    """Return the spellings of the numbers that a file defines in more than one spelling, given its spools."""
    spelled = pl.read_parquet(str(spools / "spellings-*.parquet"))
    if spelled.is_empty():
        return frozenset()
    keys = spelled["key"].unique()
    defined = pl.scan_parquet(str(spools / "defined-*.parquet")).filter(pl.col("key").is_in(keys.implode())).collect()
    times = dict(defined.group_by("key").len().rows())
    found: set[str] = set()
    for (key,), rows in spelled.group_by("key"):
        spellings = set(rows["spelling"])
        # The spools list the spellings that differ from the number's own text. More definitions: some have that text.
        if times[key] > len(rows):
            spellings.add(write_number(Decimal(rows["spelling"][0])))
        if len(spellings) > 1:
            found |= spellings
    return frozenset(found)
