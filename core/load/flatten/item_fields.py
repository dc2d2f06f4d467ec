"""What items say besides their rates: of all their prices, and in words for their codes."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from core.fields.billing_code import parse_code, parse_code_system
from core.fields.text import as_list, parse_lower, parse_text
from core.load.rate_filters import ALL_RATES, RateFilter, code_mask
from core.load.staging.price_rows import PriceFieldCache
from core.load.staging.price_runs import ItemFields
from core.load.staging.spool_set import SpoolSet
from core.tic import decode
from core.tic.decode import ABSENT, ItemObject

NO_CODE = -1
"""Stands for the head of an item that names no code."""

NOT_WANTED = -2
"""Stands for the head of an item whose code no filter wants."""

_NO_MEMBERS = (b"null", b"[]")
_BOTH = 3


class ItemFieldsReader:
    """Reads items' heads into a vocabulary; words go to spools. `filters` say which rates are wanted (any of them)."""

    def __init__(self, spools: SpoolSet, notes: Counter[str], filters: Sequence[RateFilter]) -> None:
        self._spools = spools
        self._notes = notes
        self._filters = filters
        self._everything = ALL_RATES in filters

    def of(self, item: ItemObject, words: PriceFieldCache) -> int:
        """The number of what the item says of its prices, or NO_CODE, or NOT_WANTED."""
        code, severity, version = item.billing_code, item.severity_of_illness, item.billing_code_type_version
        others: tuple[Any, ...] = (item.billing_code_type, item.negotiation_arrangement, severity, version)
        if type(code) is not str or not _is_text_or_none(severity) or not _is_text_or_none(version):
            others, code = (), repr((code, *others))  # 1 and true are not the same, to us
        heads = words.head_ids.get(others)
        if heads is None:
            heads = words.head_ids[others] = {}
        found = heads.get(code)
        if found is None:
            found = heads[code] = self._read(item, words)
            words.text_bytes += 0 if found >= 0 else 300
        return found

    def _read(self, item: ItemObject, words: PriceFieldCache) -> int:
        system = parse_code_system(item.billing_code_type)
        code = parse_code(system, item.billing_code) if system else None
        if not system or not code:
            return NO_CODE if self._everything else NOT_WANTED
        if not self._everything and not code_mask(self._filters, system, code):
            return NOT_WANTED
        arrangement = parse_lower(item.negotiation_arrangement)
        severity, version = parse_text(item.severity_of_illness), parse_text(item.billing_code_type_version)
        return words.number_of_head(ItemFields(system, code, arrangement, severity, version))

    def describe(self, head: int, item: ItemObject, seq: int, words: PriceFieldCache) -> None:
        """Keeps the item's words for its code, and the members of bundles. `head` is what `of` has told of it."""
        known = words.described[head]
        if known != _BOTH:
            description, name = parse_text(item.description), parse_text(item.name)
            told = bool(description) + 2 * bool(name)
            if told & ~known or not known:
                each = words.heads_in_order[head]
                self._spools.codes.add(each.code_type, each.code, description, name, seq)
                words.described[head] = known | told
        if item.bundled_codes is not ABSENT or item.covered_services is not ABSENT:
            for raw in (item.bundled_codes, item.covered_services):
                if raw is not ABSENT and bytes(raw) not in _NO_MEMBERS:
                    self._add_bundle(words.heads_in_order[head], raw, seq)

    def _add_bundle(self, head: ItemFields, members_of_it: Raw, seq: int) -> None:
        for member in as_list(decode.scalar(members_of_it)):
            if not isinstance(member, dict):
                continue
            system = parse_code_system(member.get("billing_code_type"))
            code = parse_code(system or "", member.get("billing_code"))
            if not system or not code:
                self._notes["bundled_codes_without_a_code"] += 1
                continue
            words = parse_text(member.get("description"))
            self._spools.bundles.add(head.code_type, head.code, system, code, head.negotiation_arrangement, words, seq)


def _is_text_or_none(value: Any) -> bool:
    return value is None or type(value) is str
