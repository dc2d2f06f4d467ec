"""Flatten the elements of a file: price rows go to sorted runs on disk, everything else to spools.

This is the innermost loop of a load. A price's text without its rate (`{"negotiated_type":"negotiated",…`) appears in
a file thousands of times, and so do lists of provider groups, so each text is read once and then looked up. Rows go to
disk part by part, so memory does not grow with the file.

Several processes may flatten one file, each with its own Flattener for some of the file's pieces.
"""

from collections import Counter
from collections.abc import Sequence
from math import inf
from pathlib import Path

import numpy as np

from core.fields.rate import parse_rate
from core.load.batch.rejects import published_text
from core.load.flatten.file_pieces import FilePiece, Flattened
from core.load.flatten.file_traits import NO_TRAITS, FileTraits
from core.load.flatten.item_fields import CODE_TOO_LONG, NO_CODE, NOT_WANTED, TEXT_TOO_LONG, ItemFieldsReader
from core.load.flatten.item_rates import ItemRates
from core.load.flatten.left_out import LeftOut, RatePosition
from core.load.flatten.plain_rates import PlainRates, cut_into_blocks, read_plain_rates
from core.load.flatten.price_fields import RATE_KEY, PriceFieldsReader
from core.load.flatten.rate_groups import RateGroupReader
from core.load.flatten.unwanted_rates import UnwantedRates
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.wanted_groups import WantedGroups
from core.load.rate_filters import ALL_RATES, RateFilter
from core.load.staging.group_key_set import KeySet
from core.load.staging.price_rows import PriceRows
from core.load.staging.price_runs import PriceRun
from core.load.staging.spool_set import SpoolSet
from core.runtime.errors import NotJsonError
from core.runtime.workers import give_back_memory
from core.tic import decode, lenient_json
from core.tic.array_splitter import ElementChunk
from core.tic.decode import ABSENT, ItemObject, RateObject
from core.tic.misspelt_rates import MisspeltRates

_POSITION_BITS = 0xFFFFFFFF
"""The lower half of `seq`: an element's position in its piece."""

_ITEM_REASONS = {NO_CODE: "no_code", CODE_TOO_LONG: "code_too_long", TEXT_TOO_LONG: "text_too_long"}
"""Why the prices of an item without a number are rejected."""


class Flattener:
    """Flattens pieces of the file `name` into spools and runs below `directory`.

    Each process that flattens the file has its own `writer` number. `filters` say which rates are wanted: those that
    any of them wants. `traits` are what an earlier reading of the file has shown.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        writer: int = 0,
        filters: Sequence[RateFilter] = (ALL_RATES,),
        sizes: LoadSizes = DEFAULT_SIZES,
        traits: FileTraits = NO_TRAITS,
    ) -> None:
        self._name = name
        self._traits = traits
        self._directory = directory
        self._writer = writer
        self._sizes = sizes
        self._spools = SpoolSet(directory, writer, sizes)
        self._runs: list[PriceRun] = []
        self._used = KeySet()
        self._rows_read = 0
        self._rows_filtered = 0
        self._notes: Counter[str] = Counter()
        self._left_out = LeftOut(self._spools, self._notes)
        self._item_fields = ItemFieldsReader(self._spools, self._notes, filters)
        self._price_fields = PriceFieldsReader(sizes)
        self._groups = RateGroupReader(self._spools, self._notes, sizes, traits.exact_ids)
        self._leaves_out = ALL_RATES not in filters
        self._prices = PriceRows()
        self._piece = 0

    def finish(self) -> Flattened:
        """Write the rows that are still in memory, and return what was made."""
        self._flush()
        self._spools.close()
        return Flattened(
            runs=self._runs,
            used_keys=self._used.keys(),
            rows_read=self._rows_read,
            rows_filtered=self._rows_filtered,
            rejected_by_mask=self._left_out.rejected,
            notes=self._notes + self._price_fields.notes + self._spools.parts.notes,
            pos_sets=self._price_fields.pos_sets,
        )

    def write_spools(self) -> None:
        """Write the definitions of groups that are still in memory, so that other processes can read them."""
        self._spools.close()

    def leave_out_unwanted(self, wanted: WantedGroups) -> None:
        """From now on, leave out rates none of whose groups is among those that filters want.

        Such a rate is not examined. It counts as filtered, even if it would have been rejected.
        """
        self._groups.wanted = wanted

    def flatten(self, piece: FilePiece) -> int:
        """Flatten a piece and return the number of its elements. Raise NotJsonError if it is not JSON."""
        self._piece = piece.number
        self._misspelt = MisspeltRates(piece.chunk, self._notes)
        self._prices.piece.append(piece.number)
        self._prices.piece_start.append(len(self._prices.rate))
        if piece.chunk.head is not None:
            count = self._flatten_giant(piece.chunk)
        elif piece.chunk.array == "in_network":
            count = self._flatten_items(piece.chunk)
        else:
            count = self._flatten_references(piece.chunk)
        if self._groups.lists.is_full or self._price_fields.cache.is_full:
            # Rows in memory refer to the caches by number, so they are written before a cache starts over.
            self._flush()
            self._empty_full_caches()
        return count

    # --- elements of in_network -------------------------------------------------------------------------------

    def _flatten_items(self, chunk: ElementChunk) -> int:
        found = self._decode(decode.ITEM_DECODER, chunk)
        seq = self._piece << 32
        items = [
            ItemRates(item, item.negotiated_rates or [], seq + n) for n, item in enumerate(found) if item is not None
        ]
        if len(items) < len(found):
            for n in [n for n, item in enumerate(found) if item is None]:
                self._left_out.leave_out("no_object", seq + n)
        for empty in [each.seq for each in items if not each.rates]:
            self._left_out.leave_out("no_rates", empty)
        self._add_rates(items)
        return len(found)

    def _flatten_giant(self, chunk: ElementChunk) -> int:
        """Flatten some of the rates of a giant item, whose other values are the chunk's head. Return their number."""
        head = ElementChunk(chunk.array, chunk.head or b"{}", chunk.offset)
        item = self._decode(decode.ITEM_DECODER, head)[0] or ItemObject()
        # If its negotiated_rates is one object instead of an array, the head contains it.
        rates = item.negotiated_rates if chunk.first else None
        rates = rates or [rate or RateObject() for rate in self._decode(decode.RATE_DECODER, chunk)]
        if not rates and chunk.first:
            self._left_out.leave_out("no_rates", self._piece << 32)
        self._add_rates([ItemRates(item, rates, self._piece << 32)])
        return len(rates)

    def _add_rates(self, items: Sequence[ItemRates]) -> None:
        """Add the prices of items' rates to the price rows: together where that can be, otherwise one by one."""
        if self._leaves_out:
            unwanted = UnwantedRates(self._item_fields, self._groups, self._price_fields.cache)
            items = unwanted.leave_out(items)
            self._rows_read += unwanted.rows
            self._rows_filtered += unwanted.rows
        for block in cut_into_blocks(items):
            plain = read_plain_rates(
                block, self._item_fields, self._groups, self._price_fields.cache, self._sizes.groups_per_row
            )
            if plain is None:
                self._add_one_by_one(block)
                continue
            start = 0
            for odd in [*plain.odd, len(block)]:
                self._add_plain(block, plain, start, odd)
                self._add_one_by_one(block[odd : odd + 1])
                start = odd + 1

    def _add_plain(self, items: Sequence[ItemRates], plain: PlainRates, start: int, end: int) -> None:
        """Add the price rows of items `start` up to `end`, none of which is odd."""
        rows, first, stop = int(plain.rows[start:end].sum()), int(plain.ends[start]), int(plain.ends[end])
        if end - start > 1 and (rows > self._sizes.run_fact_rows or stop - first > self._sizes.run_prices):
            middle = (start + end) // 2
            self._add_plain(items, plain, start, middle)
            self._add_plain(items, plain, middle, end)
            return
        if rows > self._sizes.run_fact_rows:
            self._add_one_by_one(items[start:end])
            return
        held, limits = self._prices, self._sizes
        if held.fact_rows + rows > limits.run_fact_rows or len(held.rate) + stop - first > limits.run_prices:
            self._flush()
        prices = self._prices
        some = slice(first, stop)
        prices.item_fields.frombytes(plain.item_fields[some].tobytes())
        prices.price_fields.frombytes(plain.price_fields[some].tobytes())
        prices.rate.frombytes(plain.rate[some].tobytes())
        prices.group_list.frombytes(plain.group_list[some].tobytes())
        prices.fact_rows += rows
        self._rows_read += rows
        with_prices = (start + np.flatnonzero(np.diff(plain.ends[start : end + 1]))).tolist()
        self._item_fields.describe_all(
            [plain.numbers[at] for at in with_prices], [items[at] for at in with_prices], self._price_fields.cache
        )

    def _add_one_by_one(self, items: Sequence[ItemRates]) -> None:  # noqa: C901 - one loop
        """Add the prices of items' rates to the price rows.

        This loop runs for odd items, and for files that write out groups at their rates. Nearly every price has a text
        that was met before. Everything else is left to slower methods. Attributes and bound methods are local
        variables, because looking each of them up costs as much as the rest of the loop. They are bound again after
        `_flush`, which replaces the columns.
        """
        lists, cache = self._groups.lists, self._price_fields.cache
        list_of, list_sizes, fields_of_text = self._groups.number_of, lists.sizes, cache.by_price_text
        written_out = iter(self._read_written_out(items))
        number_of_item, describe = self._item_fields.number_of, self._item_fields.describe
        max_prices, max_fact_rows, max_groups = (
            self._sizes.run_prices,
            self._sizes.run_fact_rows,
            self._sizes.groups_per_row,
        )
        prices = self._prices
        add_rate, add_fields = prices.rate.append, prices.price_fields.append
        add_groups, add_item = prices.group_list.append, prices.item_fields.append
        for each in items:
            item, rates, seq = each.item, each.rates, each.seq
            # Only an item of which a price was kept is described, so that no code without a rate gets into dim_code.
            before, kept = len(prices.rate), False
            number = number_of_item(item, cache) if rates else NO_CODE
            for position, rate in each.numbered_rates():
                texts = rate.negotiated_prices
                if rate.provider_groups is ABSENT:
                    groups = list_of(bytes(rate.provider_references))
                else:
                    groups = next(written_out)
                if prices.fact_rows >= max_fact_rows or len(prices.rate) >= max_prices:
                    kept = kept or len(prices.rate) > before
                    self._flush()
                    prices, before = self._prices, 0
                    add_rate, add_fields = prices.rate.append, prices.price_fields.append
                    add_groups, add_item = prices.group_list.append, prices.item_fields.append
                size = list_sizes[groups] if groups >= 0 else 0
                if not texts or number < 0 or not 0 < size <= max_groups:
                    self._add_odd_rate(number, item, rate, groups, RatePosition(seq, position))
                    continue
                prices.fact_rows += size * len(texts)
                self._rows_read += size * len(texts)
                for raw in texts:
                    text = bytes(raw)
                    at = text.find(RATE_KEY) + len(RATE_KEY)
                    end = text.find(b",", at)
                    fields = fields_of_text.get(text[:at] + text[end:])
                    if fields is not None:
                        # A rate that is not a plain number (a string, null, the last field of the price) goes the slow
                        # way, and so do negative and infinite numbers, which are rejected there. NaN fails both tests.
                        try:
                            amount = float(text[at:end])
                        except ValueError:
                            amount = -1.0
                        if 0 <= amount < inf:
                            add_item(number)
                            add_rate(amount + 0.0)  # turns -0.0 into 0.0, which has another hash
                            add_fields(fields)
                            add_groups(groups)
                            continue
                    self._add_price(text, number, (groups,), size, RatePosition(seq, position), texts.index(raw))
            if kept or len(prices.rate) > before:
                describe(number, item, seq, cache)

    def _read_written_out(self, items: Sequence[ItemRates]) -> list[int]:
        """Return the lists of groups of the rates that have them written out, in the order of the rates."""
        found = [(rate, each.seq) for each in items for rate in each.rates if rate.provider_groups is not ABSENT]
        if not found:
            return []
        rates, seqs = zip(*found, strict=True)
        return self._groups.read_written_out(rates, seqs)

    def _add_odd_rate(
        self, number: int, item: ItemObject, rate: RateObject, groups: int, position: RatePosition
    ) -> None:
        """Add or reject the prices of a rate that has no code, no groups, no prices, or very many groups."""
        lists = self._groups.lists
        if not rate.negotiated_prices or (groups >= 0 and not lists.sizes[groups]):
            rate, groups = self._read_again(rate, groups, position)
        texts = rate.negotiated_prices
        if not texts:
            self._left_out.leave_out("no_prices", position.seq, position.rate)
            return
        size = lists.sizes[groups] if groups >= 0 else -groups
        # A rejected price counts once for each of its groups, and once if it has none.
        rows = max(size, 1) * len(texts)
        self._rows_read += rows
        if number == NOT_WANTED or groups < 0:
            self._rows_filtered += rows
        elif number in _ITEM_REASONS or not size:
            reason, value = _ITEM_REASONS.get(number, "no_provider"), None
            if number in _ITEM_REASONS:
                value = published_text([item.billing_code_type, item.billing_code])
            mask = lists.mask_of(groups) & self._item_fields.mask_of(number, item, self._price_fields.cache)
            for price in range(len(texts)):
                self._left_out.reject(reason, max(size, 1), position, price, value, mask)
        else:
            self._prices.fact_rows += rows
            keys, step, mask = lists.keys_of(groups), self._sizes.groups_per_row, lists.mask_of(groups)
            rows_of = [lists.add(keys[n : n + step], mask=mask) for n in range(0, size, step)]
            for price, raw in enumerate(texts):
                self._add_price(bytes(raw), number, rows_of, size, position, price)

    def _read_again(self, rate: RateObject, groups: int, position: RatePosition) -> tuple[RateObject, int]:
        """Return a rate that lacks something, and its groups, with its keys put right if they are misspelt."""
        found = self._misspelt.read(position.seq & _POSITION_BITS, position.rate)
        if found is None:
            return rate, groups
        if found.provider_groups is ABSENT:
            return found, self._groups.number_of(bytes(found.provider_references))
        return found, self._groups.read_written_out([found], [position.seq])[0]

    def _add_price(
        self, text: bytes, number: int, lists: Sequence[int], size: int, position: RatePosition, price: int
    ) -> None:
        """Add or reject a price whose text is new, for the `size` groups of some lists. `price` is its position."""
        found = decode.decode_price(text, self._notes)
        if found is None:
            shown = published_text(text.decode("utf-8", "replace"))
            self._left_out.reject("no_price", size, position, price, shown, self._mask_of(number, lists))
            return
        amount = parse_rate(found.negotiated_rate)
        if amount is None:
            value = None if found.negotiated_rate is None else published_text(found.negotiated_rate)
            self._left_out.reject("invalid_rate", size, position, price, value, self._mask_of(number, lists))
            return
        fields = self._price_fields.number_of(found)
        if fields < 0:
            shown = published_text(text.decode("utf-8", "replace"))
            self._left_out.reject("text_too_long", size, position, price, shown, self._mask_of(number, lists))
            return
        for groups in lists:
            self._prices.item_fields.append(number)
            self._prices.rate.append(amount)
            self._prices.price_fields.append(fields)
            self._prices.group_list.append(groups)
        self._price_fields.remember(text, fields)

    def _mask_of(self, number: int, lists: Sequence[int]) -> int:
        """Return a bit for each filter that wants an item's code and may want one of the groups of a list."""
        return self._groups.lists.mask_of(lists[0]) & self._item_fields.mask_of(number, None, self._price_fields.cache)

    # --- elements of provider_references ----------------------------------------------------------------------

    def _flatten_references(self, chunk: ElementChunk) -> int:
        references = self._decode(decode.REFERENCE_DECODER, chunk)
        self._groups.define(references, self._piece << 32)
        return len(references)

    # --- both -------------------------------------------------------------------------------------------------

    def _decode(self, elements: "decode.ElementDecoder[decode.T]", chunk: ElementChunk) -> "list[decode.T | None]":
        try:
            search = self._traits.searches(self._piece, len(chunk.text))
            found, lenient = elements.read(chunk.text, self._notes, find_repeats=search)
        except lenient_json.UndecodableError as error:
            raise NotJsonError(
                f"{self._name}: not JSON: {error.problem} at byte {chunk.offset + error.offset:,}, in {chunk.array}; "
                "expected an in-network file; download it again or report it to the payer"
            ) from None
        if lenient:
            self._notes[f"{chunk.array}_elements_read_leniently"] += lenient
        return found

    def _flush(self) -> None:
        """Write the price rows in memory as a run."""
        if self._prices.rate:
            cache, lists, block_keys = self._price_fields.cache, self._groups.lists, self._sizes.block_keys
            odd = self._prices.count_odd_dates(cache, lists)
            if odd:
                self._notes["unreadable_expiration_dates"] += odd
            self._used.add(self._prices.used_keys(lists, block_keys))
            path = self._directory / f"run-{self._writer}-{len(self._runs):06}"
            self._runs.append(self._prices.write(path, cache, lists, block_keys))
        self._prices = PriceRows()
        self._prices.piece.append(self._piece)
        self._prices.piece_start.append(0)
        give_back_memory()

    def _empty_full_caches(self) -> None:
        if self._price_fields.cache.is_full:
            self._price_fields.start_over()
        if self._groups.lists.is_full:
            self._groups.start_over()
        give_back_memory()
