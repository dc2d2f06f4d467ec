"""Cuts a file's price rows into shares that can be turned into facts independently."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from core.mrf.facts import Share, Slice
from core.mrf.runs import HASH_SHIFT, Code, Index

LEAST_ROWS = 250_000
MOST_ROWS = 1_000_000
"""Fact rows of a share: few enough for its memory, many enough to be worth the trouble."""


def shares(indexes: Sequence[Index], members: int) -> list[Share]:
    """The shares of all runs' rows, in the order of their codes; some four for each of the crew's members, or more."""
    rows: Counter[Code] = Counter()
    for index in indexes:
        rows.update(dict(zip(index.codes, index.fact_rows.tolist(), strict=True)))
    wanted = min(max(rows.total() // (4 * members), LEAST_ROWS), MOST_ROWS)
    found = (slices for slices in _ranges(indexes, rows, wanted) if slices)
    return [Share(number, slices) for number, slices in enumerate(found)]


def _ranges(indexes: Sequence[Index], rows: Counter[Code], wanted: int) -> Iterator[tuple[Slice, ...]]:
    codes = sorted(rows)
    first, held = 0, 0
    for place, code in enumerate(codes):
        if held and held + rows[code] > wanted:
            yield _of_codes(indexes, codes[first], codes[place - 1])
            first, held = place, 0
        held += rows[code]
        if rows[code] > 2 * wanted:
            yield from _of_hashes(indexes, code, -(-rows[code] // wanted))
            first, held = place + 1, 0
    if held:
        yield _of_codes(indexes, codes[first], codes[-1])


def _of_codes(indexes: Sequence[Index], first: Code, last: Code) -> tuple[Slice, ...]:
    slices = []
    for index in indexes:
        start = int(index.starts[bisect_left(index.codes, first)])
        end = int(index.starts[bisect_left(index.codes, (last[0], last[1] + "\0"))])
        if start < end:
            slices.append(Slice(index.run, start, end))
    return tuple(slices)


def _of_hashes(indexes: Sequence[Index], code: Code, parts: int) -> Iterator[tuple[Slice, ...]]:
    """One code's rows, in parts by the hash of the rate."""
    bounds = np.array([(part << 40) // parts for part in range(parts + 1)], np.uint64)
    cuts = []
    for index in indexes:
        place = bisect_left(index.codes, code)
        if place < len(index.codes) and index.codes[place] == code:
            start, end = int(index.starts[place]), int(index.starts[place + 1])
            hashes = index.run.column("hash_0", start, end) >> HASH_SHIFT
            cuts.append((index.run, (start + np.searchsorted(hashes, bounds)).tolist()))
    for part in range(parts):
        found = [Slice(run, places[part], places[part + 1]) for run, places in cuts]
        yield tuple(each for each in found if each.start < each.end)
