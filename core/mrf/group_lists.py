"""The provider groups that rates hold for, and the groups' definitions."""

from collections import Counter

import msgspec
from msgspec import Raw

from core.mrf import members, normalize, shapes
from core.mrf.prices import Lists
from core.mrf.shapes import ABSENT, Rate, Reference
from core.mrf.spools import Spools

_BLANK = b"[] \t\r\n"
_WHOLE_NUMBERS = msgspec.json.Decoder(list[int])


class GroupLists:
    """Reads rates' lists of groups into `lists`, which its owner replaces from time to time; members go to spools."""

    def __init__(self, spools: Spools, notes: Counter[str]) -> None:
        self.lists = Lists()
        self._spools = spools
        self._notes = notes

    def named(self, text: bytes) -> int:
        """The list of groups that provider_references name."""
        keys, odd = self._named_keys(text)
        if odd:
            self._notes["provider_references_that_are_no_ids"] += odd
        return self.lists.add(keys, None if odd else text)

    def mixed(self, rate: Rate, seq: int) -> int:
        """The list of groups of a rate that has provider_groups, and it may be provider_references too."""
        inline, references = bytes(rate.provider_groups), bytes(rate.provider_references)
        text = inline if references in {b"", b"[]", b"null"} else references + inline
        groups = self.lists.ids.get(text)
        if groups is not None:
            return groups
        if inline.strip(_BLANK) in {b"", b"null"}:
            return self.named(references)
        key = self._inline_group(rate.provider_groups, seq)
        keys, odd = self._named_keys(references)
        if odd:
            self._notes["provider_references_that_are_no_ids"] += odd
        return self.lists.add([*keys, key], None if odd else text)

    def _named_keys(self, text: bytes) -> tuple[list[int], int]:
        """The keys of a list of references, and how many of its elements are no ids."""
        if not text:
            return [], 0
        try:
            numbers = _WHOLE_NUMBERS.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            named = [normalize.group_id(value) for value in normalize.as_list(shapes.loads(text))]
            keys = [self._key(group) for group in named if group is not None]
            return keys, len(named) - len(keys)
        if numbers and (min(numbers) < 0 or max(numbers) >= members.WHOLE_KEY_LIMIT):
            numbers = [self._key(str(number)) for number in numbers]
        return numbers, 0

    def _key(self, group: str) -> int:
        key = members.group_key(group)
        if key >= members.NAMED_KEY:
            self._spools.groups.add(key, group, None)
        return key

    def _inline_group(self, provider_groups: Raw, seq: int) -> int:
        parts = self._spools.parts.of(provider_groups)
        group = members.inline_id(parts)
        key = members.group_key(group)
        self._spools.groups.add(key, group, None)
        self._spools.add_parts(key, parts, seq)
        return key

    def define(self, reference: Reference, seq: int) -> None:
        """Takes in a definition of a provider group."""
        group = normalize.group_id(shapes.scalar(reference.provider_group_id))
        if group is None:
            self._notes["provider_groups_without_an_id"] += 1
            return
        key = members.group_key(group)
        if reference.location and bytes(reference.provider_groups).strip(_BLANK) in {b"", b"null"}:
            self._notes["provider_groups_at_a_location"] += 1
            self._spools.locations.add(key, reference.location, seq)
        networks = map(normalize.text, normalize.as_list(shapes.scalar(reference.network_name)))
        names = sorted({name for name in networks if name})
        if names or key >= members.NAMED_KEY:
            self._spools.groups.add(key, group, names)
        self._spools.defined.columns[0].append(key)
        self._spools.defined.check()
        if reference.provider_groups is not ABSENT:
            self._spools.add_parts(key, self._spools.parts.of(reference.provider_groups), seq)
