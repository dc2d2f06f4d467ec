"""What items of in_network say besides their rates: the fields of all their prices, and texts about their codes."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import Raw

from core.fields.codes.billing_code import parse_code, parse_code_system
from core.fields.texts.text import as_list, fit_text, parse_lower, parse_text
from core.load.batch.altered_texts import count_altered
from core.load.flatten.item_rates import ItemRates
from core.load.rate_filters import ALL_RATES, RateFilter, code_mask
from core.load.staging.price_field_cache import PriceFieldCache
from core.load.staging.price_runs import ItemFields
from core.load.staging.spool_set import SpoolSet
from core.store.schema.columns import ARRANGEMENT, CODE, CODE_TYPE, Column
from core.store.schema.tables import DIM_CODE, FACT_RATE
from core.tic import lenient_json
from core.tic.decode import ABSENT, ItemObject

NO_CODE = -1
"""Stands for the number of an item that names no billing code."""

CODE_TOO_LONG, TEXT_TOO_LONG = -3, -4
"""Stand for the number of an item whose code, or other text of the grain, is too long for its column."""

NOT_WANTED = -2
"""Stands for the number of an item whose code no filter wants."""

_NO_MEMBERS = (b"null", b"[]")
_DESCRIPTION, _NAME, _BOTH = 1, 2, 3

_SEVERITY, _VERSION = FACT_RATE.column("severity_of_illness"), FACT_RATE.column("billing_code_type_version")
_DESCRIBED = DIM_CODE.column("code_desc")


class _OtherFields(NamedTuple):
    """What an item says about its prices besides its code: the same for thousands of items in a row."""

    system: str | None
    arrangement: str | None
    severity: str | None
    version: str | None
    version_altered: int
    """What was done to the version, see fit_text."""


class ItemFieldsReader:
    """Reads item fields into a cache, and texts about codes into spools. `filters` say which rates are wanted."""

    def __init__(self, spools: SpoolSet, notes: Counter[str], filters: Sequence[RateFilter]) -> None:
        self._spools = spools
        self._notes = notes
        self._filters = filters
        self._everything = ALL_RATES in filters
        self.decides_by_code = not any(not one.codes and not one.code_types for one in filters)
        """Whether there are codes of which no filter wants any rate."""
        self._others: tuple[Any, ...] = ()
        """The fields besides the code of the item read last, as the file spells them; none if they are odd."""
        self._fields = _OtherFields(None, None, None, None, 0)

    def numbers_of(self, items: Sequence[ItemRates], cache: PriceFieldCache) -> list[int]:
        """Return the number of each item, as `number_of` does; NO_CODE for one without rates.

        Where all items differ in nothing but their codes, these are looked up together: a file may have millions of
        items with one rate each.
        """
        others = [_spell_others(each.item) for each in items]
        found: list[int | None] = [None] * len(items)
        if others and others.count(others[0]) == len(others) and all(map(_is_text_or_none, others[0])):
            known = cache.by_item_text.get(others[0], {})
            with suppress(TypeError):  # a list or an object in place of a code
                found = list(map(known.get, [each.item.billing_code for each in items]))
        if None in found:
            found = [
                self.number_of(each.item, cache) if number is None and each.rates else number
                for each, number in zip(items, found, strict=True)
            ]
        return [
            NO_CODE if number is None or not each.rates else number for each, number in zip(items, found, strict=True)
        ]

    def number_of(self, item: ItemObject, cache: PriceFieldCache) -> int:
        """Return the number of an item's fields, or NO_CODE, NOT_WANTED, CODE_TOO_LONG, or TEXT_TOO_LONG.

        Payers repeat an item's fields for thousands of items, so the spelling in the file is looked up first.
        """
        code, others = item.billing_code, _spell_others(item)
        if type(code) is not str or not all(map(_is_text_or_none, others)):
            # As keys of a dict 1, 1.0 and true are equal; their text in a file is not.
            others, code = (), repr((code, *others))
        numbers = cache.by_item_text.get(others)
        if numbers is None:
            numbers = cache.by_item_text[others] = {}
        found = numbers.get(code)
        if found is None:
            if others != self._others or not others:
                self._others, self._fields = others, self._read_others(item)
            found = numbers[code] = self._read(item, self._fields, cache)
            cache.text_bytes += len(code) + (0 if found >= 0 else 300)
        return found

    def mask_of(self, number: int, item: ItemObject | None, cache: PriceFieldCache) -> int:
        """Return a bit for each filter that wants the code of an item: number `number`, or `item` if it has none."""
        if number >= 0 or item is None:
            return code_mask(self._filters, cache.items[number].code_type, cache.items[number].code)
        system = parse_code_system(item.billing_code_type)
        code = parse_code(system, item.billing_code) if system else None
        if not system or not code:
            return sum(1 << bit for bit, one in enumerate(self._filters) if one == ALL_RATES)
        return code_mask(self._filters, system, code)

    def describe_all(self, numbers: Sequence[int], items: Sequence[ItemRates], cache: PriceFieldCache) -> None:
        """Describe each of some items. Most have nothing that is new."""
        described = cache.described
        for number, each in zip(numbers, items, strict=True):
            item = each.item
            if described[number] != _BOTH or item.bundled_codes is not ABSENT or item.covered_services is not ABSENT:
                self.describe(number, item, each.seq, cache)

    def describe(self, number: int, item: ItemObject, seq: int, cache: PriceFieldCache) -> None:
        """Spool the item's texts about its code, and the members of a bundle. `number` comes from `number_of`.

        For each code the first description and the first name count, so a text that was spooled before is skipped.
        """
        known = cache.described[number]
        if known != _BOTH:
            given = _DESCRIPTION * (parse_text(item.description) is not None) + _NAME * (
                parse_text(item.name) is not None
            )
            if given & ~known or not known:
                fields = cache.items[number]
                description, name = self._fit(item.description, _DESCRIBED), self._fit(item.name, _DESCRIBED)
                self._spools.codes.add(fields.code_type, fields.code, description, name, seq)
                cache.described[number] = known | given
        if item.bundled_codes is not ABSENT or item.covered_services is not ABSENT:
            for raw in (item.bundled_codes, item.covered_services):
                if raw is not ABSENT and bytes(raw) not in _NO_MEMBERS:
                    self._add_bundle(cache.items[number], raw, seq)

    def _read_others(self, item: ItemObject) -> "_OtherFields":
        version, done = fit_text(item.billing_code_type_version, _VERSION.longest)
        return _OtherFields(
            system=parse_code_system(item.billing_code_type),
            arrangement=parse_lower(item.negotiation_arrangement),
            severity=parse_text(item.severity_of_illness),
            version=version,
            version_altered=done,
        )

    def _read(self, item: ItemObject, others: "_OtherFields", cache: PriceFieldCache) -> int:
        system = others.system
        code = parse_code(system, item.billing_code) if system else None
        if not system or not code:
            return NO_CODE if self._everything else NOT_WANTED
        if not self._everything and not code_mask(self._filters, system, code):
            return NOT_WANTED
        if len(system) > CODE_TYPE.longest or len(code) > CODE.longest:
            return CODE_TOO_LONG
        if len(others.arrangement or "") > ARRANGEMENT.longest or len(others.severity or "") > _SEVERITY.longest:
            return TEXT_TOO_LONG
        if others.version_altered:
            self._notes.update(count_altered(others.version_altered))
        return cache.number_of_item(ItemFields(system, code, others.arrangement, others.severity, others.version))

    def _fit(self, value: Any, column: Column) -> str | None:
        """Return a text that is no longer than its column, and count what was done to it."""
        found, done = fit_text(value, column.longest)
        if done:
            self._notes.update(count_altered(done))
        return found

    def _add_bundle(self, bundle: ItemFields, members: Raw, seq: int) -> None:
        for member in as_list(lenient_json.parse_raw(members)):
            if not isinstance(member, dict):
                continue
            system = parse_code_system(member.get("billing_code_type"))
            code = parse_code(system or "", member.get("billing_code"))
            if not system or not code:
                self._notes["bundled_codes_without_a_code"] += 1
                continue
            if len(system) > CODE_TYPE.longest or len(code) > CODE.longest:
                self._notes["bundled_codes_too_long"] += 1
                continue
            description = self._fit(member.get("description"), _DESCRIBED)
            self._spools.bundles.add(
                bundle.code_type, bundle.code, system, code, bundle.negotiation_arrangement, description, seq
            )


_spell_others: Callable[[ItemObject], tuple[Any, ...]] = attrgetter(
    "billing_code_type", "negotiation_arrangement", "severity_of_illness", "billing_code_type_version"
)
"""Returns what an item says about its prices besides its code, as the file spells it."""


def _is_text_or_none(value: Any) -> bool:
    return value is None or type(value) is str
