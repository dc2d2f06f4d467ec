"""Elements of a file to rows on disk: price rows in sorted runs, and everything else in spools.

This is the innermost loop of an ingest. A price's text but for its rate (`{"negotiated_type":"negotiated",…`) stands
in a file thousands of times, and so do lists of provider groups: each text is read once, then looked up. What is read
lands on disk part by part, so that memory does not grow with the file.

One file may be flattened by several processes, each with a Flattener that takes in some pieces of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec import Raw

from core.fields.rate import parse_rate
from core.load.flatten.item_fields import NO_CODE, NOT_WANTED, ItemFieldsReader
from core.load.flatten.price_fields import PriceFieldsReader
from core.load.flatten.rate_groups import RateGroupReader
from core.load.providers import group_members
from core.load.providers.group_key_set import KeySet
from core.load.rate_filters import ALL_RATES, RateFilter
from core.load.staging import price_runs as runs
from core.load.staging.price_rows import RUN_KEYS, RUN_PRICES, PriceFieldCache, PriceRows, RateGroupLists
from core.load.staging.spool_set import SpoolSet
from core.runtime.errors import NotJsonError
from core.runtime.workers import give_back_memory
from core.tic import decode
from core.tic.array_splitter import ElementChunk
from core.tic.decode import ABSENT, ItemObject, RateObject

GROUPS_PER_ROW = 1 << 16
"""A price that holds for more groups than this is spooled as several rows."""

_RATE = b'"negotiated_rate":'

_ANOTHER = b"86753090.125"
"""A number that is no rate."""


@dataclass(frozen=True)
class FilePiece:
    """One run of elements with its number in the order of the file; the number stands for its place in all spools."""

    number: int
    run: ElementChunk


@dataclass
class Flattened:
    """What one Flattener has made of its pieces."""

    runs: list[runs.PriceRun]
    used_keys: npt.NDArray[np.uint64]
    """The keys of the groups that price rows name, distinct and sorted."""
    rows_read: int
    rows_filtered: int
    rejected: Counter[str]
    notes: Counter[str]
    pos_sets: dict[str, tuple[str, ...]]


class Flattener:
    """Flattens pieces of the file `name` into spools and runs below `directory`.

    `writer` tells apart the processes that flatten one file; `filters` say which rates are wanted (any of them).
    """

    def __init__(
        self, name: str, directory: Path, writer: int = 0, filters: Sequence[RateFilter] = (ALL_RATES,)
    ) -> None:
        self._name = name
        self._directory = directory
        self._writer = writer
        self.spools = SpoolSet(directory, writer)
        self._runs: list[runs.PriceRun] = []
        self._used = KeySet()
        self._rows_read = 0
        self._rows_filtered = 0
        self._rejected: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._heads = ItemFieldsReader(self.spools, self._notes, filters)
        self._prices = PriceRows()
        self._terms = PriceFieldsReader()
        self._groups = RateGroupReader(self.spools, self._notes)
        self._piece = 0

    def close(self) -> Flattened:
        """Writes what is still in memory."""
        self._flush()
        self.spools.close()
        return Flattened(
            self._runs,
            self._used.keys(),
            self._rows_read,
            self._rows_filtered,
            self._rejected,
            self._notes,
            self._terms.pos_sets,
        )

    def add(self, piece: FilePiece) -> int:
        """Takes in a piece; gives the number of its elements. Raises NotJsonError where they are none."""
        self._piece = piece.number
        self._prices.piece.append(piece.number)
        self._prices.piece_start.append(len(self._prices.rate))
        if piece.run.head is not None:
            count = self._add_giant(piece.run)
        elif piece.run.array == "in_network":
            count = self._add_items(piece.run)
        else:
            count = self._add_references(piece.run)
        if self._groups.lists.full or self._terms.words.full:
            self._flush()
            self._forget()
        return count

    # --- elements of in_network -------------------------------------------------------------------------------

    def _add_items(self, run: ElementChunk) -> int:
        found = self._read(decode.ITEMS, run)
        seq = self._piece << 32
        items = [(item, item.negotiated_rates or [], seq + n) for n, item in enumerate(found) if item is not None]
        if len(items) < len(found):
            self._notes["in_network_elements_that_are_no_objects"] += len(found) - len(items)
        self._add_rates(items)
        return len(found)

    def _add_giant(self, run: ElementChunk) -> int:
        """Takes in some of the rates of an item, whose other values are the run's head; gives the number of rates."""
        item = self._read(decode.ITEMS, ElementChunk(run.array, run.head or b"{}", run.offset))[0] or ItemObject()
        # Its rates stand in the head where they are one object instead of an array.
        rates = item.negotiated_rates if run.first else None
        rates = rates or [rate or RateObject() for rate in self._read(decode.RATES, run)]
        self._add_rates([(item, rates, self._piece << 32)])
        return len(rates)

    def _add_rates(self, items: Sequence[tuple[ItemObject, list[RateObject], int]]) -> None:  # noqa: C901 - one loop
        """Takes in items' rates; each item has its place in the file.

        This is the innermost loop. What it takes is bound to names of its own, as to look each up costs as much as
        the rest of it; after `_flush` the columns are others.
        """
        lists, words = self._groups.lists, self._terms.words
        list_ids, list_sizes, terms_of_text = lists.ids, lists.sizes, words.ids
        written_out = iter(self._written_out(items))
        head_of, describe = self._heads.of, self._heads.describe
        prices = self._prices
        add_rate, add_terms, add_groups = prices.rate.append, prices.terms.append, prices.groups.append
        add_head = prices.head.append
        for item, rates, seq in items:
            before, kept = len(prices.rate), False
            head = head_of(item, words) if rates else NO_CODE
            for place, rate in enumerate(rates):
                if prices.keys >= RUN_KEYS or len(prices.rate) >= RUN_PRICES:
                    kept = kept or len(prices.rate) > before
                    self._flush()
                    prices, before = self._prices, 0
                    add_rate, add_terms, add_groups = prices.rate.append, prices.terms.append, prices.groups.append
                    add_head = prices.head.append
                if rate.provider_groups is ABSENT:
                    text = bytes(rate.provider_references)
                    groups = list_ids.get(text)
                    if groups is None:
                        groups = self._groups.named(text)
                else:
                    groups = next(written_out)
                size, texts = list_sizes[groups], rate.negotiated_prices
                if not texts or head < 0 or not 0 < size <= GROUPS_PER_ROW:
                    self._add_odd_rate(head, item, texts, groups, (seq, place))
                    continue
                prices.keys += size * len(texts)
                self._rows_read += size * len(texts)
                for raw in texts:
                    # The price's text but for its rate has been met before, as a rule.
                    text = bytes(raw)
                    at = text.find(_RATE) + len(_RATE)
                    end = text.find(b",", at)
                    terms = terms_of_text.get(text[:at] + text[end:])
                    if terms is not None:
                        try:
                            amount = float(text[at:end])
                        except ValueError:
                            amount = -1.0
                        if 0 <= amount < inf:
                            add_head(head)
                            add_rate(amount + 0.0)
                            add_terms(terms)
                            add_groups(groups)
                            continue
                    self._add_price(text, head, (groups,), size, (seq, place, texts.index(raw)))
            if kept or len(prices.rate) > before:
                describe(head, item, seq, words)

    def _written_out(self, items: Sequence[tuple[ItemObject, list[RateObject], int]]) -> list[int]:
        """The lists of groups of the rates that have them written out, in the rates' order."""
        found = [(rate, seq) for _, some, seq in items for rate in some if rate.provider_groups is not ABSENT]
        return self._groups.written_out(*zip(*found, strict=True)) if found else []

    def _add_odd_rate(
        self, head: int, item: ItemObject, texts: list[Raw] | None, groups: int, place: tuple[int, int]
    ) -> None:
        """Takes in the prices of a rate whose code or whose groups are not as they should be, or very many."""
        if not texts:
            self._notes["rates_without_prices"] += 1
            return
        size = self._groups.lists.sizes[groups]
        rows = max(size, 1) * len(texts)
        self._rows_read += rows
        if head == NOT_WANTED:
            self._rows_filtered += rows
        elif head == NO_CODE or not size:
            reason, value = "no_provider", None
            if head == NO_CODE:
                reason, value = "no_code", group_members.published([item.billing_code_type, item.billing_code])
            for number in range(len(texts)):
                self._reject(reason, max(size, 1), (*place, number), value)
        else:
            self._prices.keys += rows
            keys = self._groups.lists.keys_of(groups)
            parts = [self._groups.lists.add(keys[n : n + GROUPS_PER_ROW]) for n in range(0, size, GROUPS_PER_ROW)]
            for number, raw in enumerate(texts):
                self._add_price(bytes(raw), head, parts, size, (*place, number))

    def _add_price(self, text: bytes, head: int, lists: Sequence[int], size: int, place: tuple[int, int, int]) -> None:
        """Takes in a price whose text has not been met before, for the `size` groups of some lists."""
        price = decode.price(text)
        if price is None:
            self._reject("no_price", size, place, group_members.published(text.decode("utf-8", "replace")))
            return
        amount = parse_rate(price.negotiated_rate)
        if amount is None:
            value = price.negotiated_rate
            self._reject("invalid_rate", size, place, None if value is None else group_members.published(value))
            return
        terms = self._terms.of(price)
        for groups in lists:
            self._prices.head.append(head)
            self._prices.rate.append(amount)
            self._prices.terms.append(terms)
            self._prices.groups.append(groups)
        frame = _frame(text)
        if frame is not None:
            self._terms.words.ids[frame] = terms
            self._terms.words.text_bytes += len(frame) + 100

    def _reject(self, reason: str, rows: int, place: tuple[int, int, int], value: str | None) -> None:
        self._rejected[reason] += rows
        self.spools.rejects.add(reason, *place, value, rows)

    # --- elements of the root's provider_references -----------------------------------------------------------

    def _add_references(self, run: ElementChunk) -> int:
        references = self._read(decode.REFERENCES, run)
        self._groups.define(references, self._piece << 32)
        return len(references)

    # --- both -------------------------------------------------------------------------------------------------

    def _read(self, elements: "decode.Elements[decode.T]", run: ElementChunk) -> "list[decode.T | None]":
        try:
            found, lenient = elements.read(run.text)
        except decode.UndecodableError as error:
            raise NotJsonError(
                f"{self._name}: not JSON: {error.problem} at byte {run.offset + error.offset:,}, in {run.array}; "
                "expected an in-network file; get it again or report it to the payer"
            ) from None
        if lenient:
            self._notes[f"{run.array}_elements_read_leniently"] += lenient
        return found

    def _flush(self) -> None:
        """Writes the price rows at hand as a run."""
        if self._prices.rate:
            odd = self._prices.rows_of_odd_dates(self._terms.words, self._groups.lists)
            if odd:
                self._notes["unreadable_expiration_dates"] += odd
            self._used.add(self._prices.used_keys(self._groups.lists))
            path = self._directory / f"run-{self._writer}-{len(self._runs):06}"
            self._runs.append(self._prices.write(path, self._terms.words, self._groups.lists))
        self._prices = PriceRows()
        self._prices.piece.append(self._piece)
        self._prices.piece_start.append(0)
        give_back_memory()

    def _forget(self) -> None:
        """Begins anew with what has grown large; no price row at hand may refer to it."""
        if self._terms.words.full:
            self._terms.words = PriceFieldCache()
        if self._groups.lists.full:
            self._groups.lists = RateGroupLists()
        give_back_memory()


def _frame(text: bytes) -> bytes | None:
    """A price's text but for its rate, if the number that stands where `_add_rates` looks for it is the rate.

    It may be that of an object within the price, or of a key that comes again; so another number is put there.
    """
    at = text.find(_RATE) + len(_RATE)
    end = text.find(b",", at)
    try:
        float(text[at:end])
        price = decode.price(b"%b%b%b" % (text[:at], _ANOTHER, text[end:]))
    except (ValueError, decode.UndecodableError):
        return None
    return text[:at] + text[end:] if price and price.negotiated_rate == float(_ANOTHER) else None
