"""The provider groups that rates apply to, and the definitions of groups."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, cast

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Raw

from core.fields.providers.provider_group_id import parse_provider_group_id, spell_provider_group_id
from core.fields.texts.text import as_list, fit_text
from core.load.batch.altered_texts import count_altered
from core.load.flatten.left_out import LeftOut
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.providers.group_key import NAMED_KEY, WHOLE_KEY_LIMIT, group_key, group_keys_of_names
from core.load.providers.wanted_groups import WantedGroups
from core.load.staging.list_numbers import ListNumbers, Numbers, hash_texts
from core.load.staging.rate_group_lists import ALL_FILTERS, RateGroupLists
from core.load.staging.spool_set import SpoolSet
from core.store.schema.columns import MAX_NAME
from core.tic import lenient_json
from core.tic.decode import ABSENT, RateObject, ReferenceObject, texts_of

_BLANK = b"[] \t\r\n"
_EMPTY = (b"", b"null")
_NOTHING = (b"", b"[]", b"null")
_WHOLE_NUMBERS = msgspec.json.Decoder(list[int])
_LISTS_OF_WHOLE_NUMBERS = msgspec.json.Decoder(list[list[Annotated[int, msgspec.Meta(ge=0)]]])


class RateGroupReader:
    """Reads the lists of groups of rates into `lists`, and the members of groups into spools.

    `exact_ids` are the ids that the file defines in two spellings, see `id_spellings`. `wanted` are the groups that
    filters want, None if all are or if it is not known yet. It is set before the first list is read.
    """

    def __init__(
        self,
        spools: SpoolSet,
        notes: Counter[str],
        sizes: LoadSizes = DEFAULT_SIZES,
        exact_ids: frozenset[str] = frozenset(),
    ) -> None:
        self._spools = spools
        self._notes = notes
        self._left_out = LeftOut(spools, notes)
        self._sizes = sizes
        self._exact_ids = exact_ids
        self.wanted: WantedGroups | None = None
        self.start_over()

    def start_over(self) -> None:
        """Forget the lists. No price row in memory may refer to them."""
        self.lists = RateGroupLists(self._sizes.cached_field_bytes)
        self._numbers = ListNumbers()

    def number_of(self, text: bytes) -> int:
        """Return the number of the list of groups that the JSON text of provider_references names."""
        known = self.lists.by_references.get(text)
        if known is not None:
            return known
        keys, odd = self._keys_of_references(text)
        if odd:
            self._notes["provider_references_that_are_no_ids"] += odd
        return self._add_list(keys, None if odd else text)

    def find_lists(self, texts: Sequence[bytes]) -> Numbers:
        """Return the same number for each text; that of an empty list if some references are not ids.

        Those are not counted yet.
        """
        hashes = hash_texts(texts)
        numbers, unknown = self._numbers.find(hashes)
        if len(unknown):
            numbers[unknown] = self._look_up([texts[position] for position in unknown.tolist()])
            self._numbers.add(hashes[unknown], numbers[unknown])
        return numbers

    def _look_up(self, texts: Sequence[bytes]) -> list[int]:
        known = self.lists.by_references
        found = list(map(known.get, texts))
        if None not in found:
            return cast("list[int]", found)
        fresh = list(dict.fromkeys(text for text, number in zip(texts, found, strict=True) if number is None))
        numbers = dict(zip(fresh, self._number_lists(fresh), strict=True))
        return [numbers[text] if number is None else number for text, number in zip(texts, found, strict=True)]

    def _number_lists(self, texts: Sequence[bytes]) -> list[int]:
        try:
            # One call for all of them takes a third of the time.
            parsed = _LISTS_OF_WHOLE_NUMBERS.decode(b"[%b]" % b",".join(texts))
        except (msgspec.DecodeError, UnicodeDecodeError):
            parsed = []
        if len(parsed) != len(texts) or max(map(max, filter(None, parsed)), default=0) >= WHOLE_KEY_LIMIT:
            return [self._number_if_all_are_ids(text) for text in texts]
        return [self._add_list(keys, text) for keys, text in zip(parsed, texts, strict=True)]

    def _number_if_all_are_ids(self, text: bytes) -> int:
        keys, odd = self._keys_of_references(text)
        return self.lists.add([], None, ALL_FILTERS) if odd else self._add_list(keys, text)

    def _add_list(self, keys: list[int], text: bytes | None) -> int:
        # A rate that names no group at all is not left out by a filter: it is rejected, as without filters.
        mask = self.wanted.mask_of(keys) if keys and self.wanted is not None else ALL_FILTERS
        return self.lists.add(keys, text, mask) if mask else self.lists.set_aside(len(keys), text)

    def read_written_out(self, rates: Sequence[RateObject], seqs: Sequence[int]) -> list[int]:
        """Return the lists of groups of rates that have provider_groups, and perhaps provider_references as well.

        All new texts are read in one call: reading them one by one takes several times as long.
        """
        known = self.lists.by_written_out
        texts = texts_of([rate.provider_groups for rate in rates])
        numbers = list(map(known.get, texts))
        for position, rate in enumerate(rates):
            if rate.provider_references is not ABSENT and bytes(rate.provider_references) not in _NOTHING:
                numbers[position] = self._read_mixed(texts[position], bytes(rate.provider_references), seqs[position])
        fresh: dict[bytes, int] = {}
        for position in [position for position, number in enumerate(numbers) if number is None]:
            fresh.setdefault(texts[position], position)
        for text in [text for text in fresh if b"{" not in text and text.strip(_BLANK) in _EMPTY]:
            del fresh[text]
            known[text] = self.lists.add([])
        if fresh:
            keys = self._read_groups(list(fresh), [seqs[position] for position in fresh.values()])
            self.lists.add_written_out(list(fresh), keys)
        return [known[text] if number is None else number for text, number in zip(texts, numbers, strict=True)]

    def define(self, references: Sequence[ReferenceObject | None], seq: int) -> None:
        """Read definitions of provider groups, the first of which is at `seq` in the file."""
        defined: list[int] = []
        with_members: list[tuple[int, bytes, int]] = []
        for position, reference in enumerate(references, seq):
            if reference is None:
                self._left_out.leave_out("no_object", position)
            else:
                key = self._define(reference, position)
                if key is None:
                    continue
                defined.append(key)
                if reference.provider_groups is not ABSENT:
                    with_members.append((key, bytes(reference.provider_groups), position))
        self._spools.defined.add_columns(np.array(defined, np.uint64))
        if with_members:
            keys, arrays, seqs = zip(*with_members, strict=True)
            lists = self._spools.parts.read(arrays)
            self._spools.add_parts(np.array(keys, np.uint64), lists, np.array(seqs, np.uint64))

    def _define(self, reference: ReferenceObject, seq: int) -> int | None:
        """Read everything in a definition except the members. Return the group's key, None if it has no id."""
        value = lenient_json.parse_raw(reference.provider_group_id)
        group = parse_provider_group_id(value, self._exact_ids)
        if group is None:
            self._left_out.leave_out("no_group_id", seq)
            return None
        key = group_key(group)
        if type(value) is not int and (spelling := spell_provider_group_id(value)) != group:
            self._spools.spellings.add(key, spelling)
        if reference.location and bytes(reference.provider_groups).strip(_BLANK) in _EMPTY:
            self._notes["provider_groups_at_a_location"] += 1
            self._spools.locations.add(key, reference.location, seq)
        names = self._read_networks(reference.network_name) if reference.network_name is not ABSENT else []
        if names or key >= NAMED_KEY:
            self._spools.groups.add(key, group, names)
        return key

    def _read_networks(self, raw: Raw) -> list[str]:
        fitted = [fit_text(name, MAX_NAME) for name in as_list(lenient_json.parse_raw(raw))]
        for _, done in fitted:
            self._notes.update(count_altered(done))
        return sorted({name for name, _ in fitted if name})

    def _read_mixed(self, inline: bytes, references: bytes, seq: int) -> int:
        """Return the list of groups of a rate that has provider_references as well as provider_groups."""
        text = references + b"\0" + inline  # not JSON, so it cannot be equal to any other text
        groups = self.lists.by_references.get(text)
        if groups is not None:
            return groups
        if inline.strip(_BLANK) in _EMPTY:
            return self.number_of(references)
        keys, odd = self._keys_of_references(references)
        if odd:
            self._notes["provider_references_that_are_no_ids"] += odd
        return self.lists.add([*keys, int(self._read_groups([inline], [seq])[0])], None if odd else text)

    def _keys_of_references(self, text: bytes) -> tuple[list[int], int]:
        """Return the keys of a list of references, and the number of its elements that are not ids."""
        if not text:
            return [], 0
        try:
            numbers = _WHOLE_NUMBERS.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            values = as_list(lenient_json.parse_json(text))
            named = [parse_provider_group_id(value, self._exact_ids) for value in values]
            keys = [self._key(group) for group in named if group is not None]
            return keys, len(named) - len(keys)
        if numbers and (min(numbers) < 0 or max(numbers) >= WHOLE_KEY_LIMIT):
            numbers = [self._key(str(number)) for number in numbers]
        return numbers, 0

    def _key(self, group: str) -> int:
        key = group_key(group)
        if key >= NAMED_KEY:
            self._spools.groups.add(key, group, None)
        return key

    def _read_groups(self, arrays: Sequence[bytes], seqs: Sequence[int]) -> npt.NDArray[np.uint64]:
        """Return the keys of groups that are written out, given the JSON texts of their provider_groups."""
        lists = self._spools.parts.read(arrays)
        raws = self._spools.parts.inline_ids(lists)
        keys = group_keys_of_names(raws)
        self._spools.groups.extend(keys, raws, [None] * len(keys))
        self._spools.add_parts(keys, lists, np.array(seqs, np.uint64))
        return keys
