"""The provider groups that rates hold for, and the groups' definitions."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from core.fields.provider_group_id import parse_provider_group_id
from core.fields.text import as_list, parse_text
from core.load.providers import group_members
from core.load.staging.price_rows import RateGroupLists
from core.load.staging.spool_set import SpoolSet
from core.tic import decode
from core.tic.decode import ABSENT, RateObject, ReferenceObject

_BLANK = b"[] \t\r\n"
_NOTHING = (b"", b"[]", b"null")
_WHOLE_NUMBERS = msgspec.json.Decoder(list[int])


class RateGroupReader:
    """Reads rates' lists of groups into `lists`, which its owner replaces from time to time; members go to spools."""

    def __init__(self, spools: SpoolSet, notes: Counter[str]) -> None:
        self.lists = RateGroupLists()
        self._spools = spools
        self._notes = notes

    def named(self, text: bytes) -> int:
        """The list of groups that provider_references name."""
        keys, odd = self._named_keys(text)
        if odd:
            self._notes["provider_references_that_are_no_ids"] += odd
        return self.lists.add(keys, None if odd else text)

    def written_out(self, rates: Sequence[RateObject], seqs: Sequence[int]) -> list[int]:
        """The lists of groups of rates that have provider_groups, and it may be provider_references too."""
        known = self.lists.written_out
        texts = list(map(bytes, [rate.provider_groups for rate in rates]))
        numbers = list(map(known.get, texts))
        for place, rate in enumerate(rates):
            if rate.provider_references is not ABSENT and bytes(rate.provider_references) not in _NOTHING:
                numbers[place] = self._mixed(texts[place], bytes(rate.provider_references), seqs[place])
        fresh: dict[bytes, int] = {}
        for place in [place for place, number in enumerate(numbers) if number is None]:
            fresh.setdefault(texts[place], place)
        for text in [text for text in fresh if b"{" not in text and text.strip(_BLANK) in {b"", b"null"}]:
            del fresh[text]
            known[text] = self.lists.add([])
        if fresh:
            self.lists.add_written_out(list(fresh), self._groups(list(fresh), [seqs[at] for at in fresh.values()]))
        return [known[text] if number is None else number for text, number in zip(texts, numbers, strict=True)]

    def _mixed(self, inline: bytes, references: bytes, seq: int) -> int:
        """The list of groups of a rate that has provider_references as well as provider_groups."""
        text = references + b"\0" + inline  # which is no JSON, and so no other text
        groups = self.lists.ids.get(text)
        if groups is not None:
            return groups
        if inline.strip(_BLANK) in {b"", b"null"}:
            return self.named(references)
        keys, odd = self._named_keys(references)
        if odd:
            self._notes["provider_references_that_are_no_ids"] += odd
        return self.lists.add([*keys, int(self._groups([inline], [seq])[0])], None if odd else text)

    def _named_keys(self, text: bytes) -> tuple[list[int], int]:
        """The keys of a list of references, and how many of its elements are no ids."""
        if not text:
            return [], 0
        try:
            numbers = _WHOLE_NUMBERS.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            named = [parse_provider_group_id(value) for value in as_list(decode.loads(text))]
            keys = [self._key(group) for group in named if group is not None]
            return keys, len(named) - len(keys)
        if numbers and (min(numbers) < 0 or max(numbers) >= group_members.WHOLE_KEY_LIMIT):
            numbers = [self._key(str(number)) for number in numbers]
        return numbers, 0

    def _key(self, group: str) -> int:
        key = group_members.group_key(group)
        if key >= group_members.NAMED_KEY:
            self._spools.groups.add(key, group, None)
        return key

    def _groups(self, arrays: Sequence[bytes], seqs: Sequence[int]) -> npt.NDArray[np.uint64]:
        """The keys of groups that are written out."""
        lists = self._spools.parts.of(arrays)
        raws = self._spools.parts.inline_ids(lists)
        keys = group_members.named_keys_of(raws)
        self._spools.groups.extend(keys, raws, [None] * len(keys))
        self._spools.add_parts(keys, lists, np.array(seqs, np.uint64))
        return keys

    def define(self, references: Sequence[ReferenceObject | None], seq: int) -> None:
        """Takes in definitions of provider groups, the first of which is at place `seq`."""
        having: list[tuple[int, bytes, int]] = []
        for place, reference in enumerate(references, seq):
            if reference is not None:
                key = self._define(reference, place)
                if key is not None and reference.provider_groups is not ABSENT:
                    having.append((key, bytes(reference.provider_groups), place))
        if having:
            keys, arrays, seqs = zip(*having, strict=True)
            lists = self._spools.parts.of(arrays)
            self._spools.add_parts(np.array(keys, np.uint64), lists, np.array(seqs, np.uint64))

    def _define(self, reference: ReferenceObject, seq: int) -> int | None:
        """Takes in a definition but for the group's members; gives the group's key."""
        group = parse_provider_group_id(decode.scalar(reference.provider_group_id))
        if group is None:
            self._notes["provider_groups_without_an_id"] += 1
            return None
        key = group_members.group_key(group)
        if reference.location and bytes(reference.provider_groups).strip(_BLANK) in {b"", b"null"}:
            self._notes["provider_groups_at_a_location"] += 1
            self._spools.locations.add(key, reference.location, seq)
        networks = map(parse_text, as_list(decode.scalar(reference.network_name)))
        names = sorted({name for name in networks if name})
        if names or key >= group_members.NAMED_KEY:
            self._spools.groups.add(key, group, names)
        self._spools.defined.columns[0].append(key)
        self._spools.defined.check()
        return key
