"""Elements of a file to columns: one row per price, with the keys of the provider groups it holds for.

What is read lands in spools on disk, part by part, so that memory does not grow with the file. The price rows'
spool is sorted part by part (a part is a run of `runs.py`); everything else is put in order when the file has
been read, in `tables.py`.
"""

from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
from msgspec import Raw

from core.mrf import normalize, providers, shapes
from core.mrf.errors import MrfError
from core.mrf.runs import Head, Prices, Runs, Terms
from core.mrf.shapes import Item, Price, Rate, Reference
from core.mrf.split import Run
from core.mrf.spool import Spool
from core.store import ids

GROUPS_PER_ROW = 1 << 16
"""A price that holds for more groups than this is spooled as several rows."""

_CACHED_BYTES = 24 << 20
_TEXT, _KEY, _INT = pl.String, pl.UInt64, pl.Int64


class Spools:
    """The spools of one file, in one directory. Columns named `seq` tell what stands first in the file."""

    def __init__(self, directory: Path) -> None:
        tin = {"tin_type": _TEXT, "tin_value": _TEXT}
        code = {"code_type": _TEXT, "code": _TEXT}
        member = {"member_code_type": _TEXT, "member_code": _TEXT}
        columns: dict[str, dict[str, Any]] = {
            "codes": {**code, "code_desc": _TEXT, "name": _TEXT, "seq": _INT},
            "bundles": {**code, **member, "negotiation_arrangement": _TEXT, "member_description": _TEXT, "seq": _INT},
            "groups": {"key": _KEY, "raw": _TEXT, "network_names": pl.List(_TEXT)},
            "members": {"key": _KEY, **tin, "npi": _TEXT},
            "names": {"key": _KEY, **tin, "business_name": _TEXT, "seq": _INT},
            "invalid": {"key": _KEY, "value": _TEXT, "place": _TEXT},
            "locations": {"key": _KEY, "url": _TEXT, "seq": _INT},
            "rejects": {"reason": _TEXT, "place": _TEXT, "value": _TEXT, "rows": _INT},
        }
        spools = {name: Spool(directory, name, shape) for name, shape in columns.items()}
        self.codes, self.bundles = spools["codes"], spools["bundles"]
        self.groups, self.members = spools["groups"], spools["members"]
        self.names, self.invalid = spools["names"], spools["invalid"]
        self.rejects, self.locations = spools["rejects"], spools["locations"]
        self._all = spools.values()

    def add_members(self, key: int, found: providers.Members, place: str, seq: int) -> None:
        """Takes in the members of one group."""
        for member in found.members:
            self.members.add(key, *member)
        for (tin_type, tin_value), name in found.names.items():
            self.names.add(key, tin_type, tin_value, name, seq)
        for value in found.invalid_npis:
            self.invalid.add(key, value, place)

    def close(self) -> None:
        """Writes what is still in memory."""
        for spool in self._all:
            spool.close()


class Flattener:
    """Flattens the elements of one file, in the order of the file, into spools below `directory`."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self.spools = Spools(directory)
        self.runs = Runs(directory)
        self.items = 0
        self.references = 0
        self.rows_read = 0
        self.rejected: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.pos_sets: dict[str, tuple[str, ...]] = {}
        self._term_texts: dict[tuple[Any, ...], int] = {}
        self._odd_dates: set[str | None] = set()
        self._places: dict[bytes, str] = {}
        self._modifiers: dict[bytes, str] = {}
        self._named: dict[bytes, array[int]] = {}
        self._inline: dict[bytes, int] = {}
        self._cached_bytes = 0
        self._prices = Prices()

    def close(self) -> None:
        """Writes what is still in memory."""
        self._flush()
        self.spools.close()

    def add(self, run: Run) -> None:
        """Takes in a run of elements of either array. Raises MrfError where they are no JSON."""
        if run.array == "in_network":
            self.add_items(run)
        else:
            self.add_references(run)

    # --- elements of in_network -------------------------------------------------------------------------------

    def add_items(self, run: Run) -> None:
        """Takes in a run of in_network elements. Raises MrfError where they are no JSON."""
        for item in self._read(shapes.ITEMS, run):
            if item is None:
                self.notes["in_network_elements_that_are_no_objects"] += 1
            else:
                self._add_item(item)
            self.items += 1
        if self._cached_bytes > _CACHED_BYTES:
            self._forget()

    def _add_item(self, item: Item) -> None:
        system = normalize.code_type(item.billing_code_type)
        code = normalize.code(system, item.billing_code) if system else None
        head = None
        if system and code:
            arrangement = normalize.lower(item.negotiation_arrangement)
            head = Head(system, code, arrangement, normalize.text(item.severity_of_illness))
        kept = False
        for j, rate in enumerate(item.negotiated_rates or ()):
            groups = self._groups(rate)
            if not rate.negotiated_prices:
                self.notes["rates_without_prices"] += 1
                continue
            for k, price in enumerate(rate.negotiated_prices):
                rows = len(groups) or 1
                self.rows_read += rows
                number = normalize.rate(price.negotiated_rate)
                if head and groups and number is not None:
                    self._add_price(head, price, number, groups)
                    kept = True
                else:
                    place = f"in_network[{self.items}].negotiated_rates[{j}].negotiated_prices[{k}]"
                    self._reject(place, rows, head is None, item, not groups, price)
        if kept and head:
            self._describe(item, head)

    def _add_price(self, head: Head, price: Price, rate: float, groups: "array[int]") -> None:
        prices = self._prices
        terms_id = self._terms_of(price)
        if self._odd_dates and price.expiration_date in self._odd_dates:
            self.notes["unreadable_expiration_dates"] += len(groups)
        head_id = prices.heads.setdefault(head, len(prices.heads))
        remark = price.additional_information
        remark = remark if remark and remark.strip() else None
        if len(groups) <= GROUPS_PER_ROW:
            prices.add(head_id, terms_id, rate, remark, groups)
        else:
            for start in range(0, len(groups), GROUPS_PER_ROW):
                prices.add(head_id, terms_id, rate, remark, groups[start : start + GROUPS_PER_ROW])
        if prices.full:
            self._flush()

    def _terms_of(self, price: Price) -> int:
        places, modifiers = bytes(price.service_code), bytes(price.billing_code_modifier)
        texts = (
            price.negotiated_type,
            price.expiration_date,
            price.billing_class,
            price.setting,
            modifiers,
            places,
        )
        found = self._term_texts.get(texts)
        if found is None:
            if normalize.text(price.expiration_date) and not normalize.day(price.expiration_date):
                self._odd_dates.add(price.expiration_date)
            terms = Terms(
                normalize.lower(price.negotiated_type),
                normalize.expiration(price.expiration_date),
                normalize.lower(price.billing_class),
                normalize.lower(price.setting),
                self._modifiers_of(modifiers),
                self._pos_set_of(places),
            )
            found = self._term_texts[texts] = self._prices.terms.setdefault(terms, len(self._prices.terms))
        return found

    def _modifiers_of(self, text: bytes) -> str:
        found = self._modifiers.get(text)
        if found is None:
            self._cached_bytes += len(text)
            found = self._modifiers[text] = normalize.modifiers(shapes.loads(text) if text else None)
        return found

    def _pos_set_of(self, text: bytes) -> str:
        found = self._places.get(text)
        if found is None:
            codes = normalize.places(shapes.loads(text) if text else None)
            self._cached_bytes += len(text)
            found = self._places[text] = ids.pos_set_id(codes)
            self.pos_sets[found] = codes
        return found

    def _reject(self, place: str, rows: int, uncoded: bool, item: Item, unprovided: bool, price: Price) -> None:
        reason, value = "invalid_rate", price.negotiated_rate
        if uncoded:
            reason, value = "no_code", [item.billing_code_type, item.billing_code]
        elif unprovided:
            reason, value = "no_provider", None
        self.rejected[reason] += rows
        self.spools.rejects.add(reason, place, None if value is None else providers.published(value), rows)

    def _describe(self, item: Item, head: Head) -> None:
        code = (head.code_type, head.code)
        self.spools.codes.add(*code, normalize.text(item.description), normalize.text(item.name), self.items)
        for raw in (item.bundled_codes, item.covered_services):
            for member in normalize.as_list(shapes.scalar(raw)):
                if not isinstance(member, dict):
                    continue
                member_type = normalize.code_type(member.get("billing_code_type"))
                member_code = normalize.code(member_type or "", member.get("billing_code"))
                if not member_type or not member_code:
                    self.notes["bundled_codes_without_a_code"] += 1
                    continue
                description = normalize.text(member.get("description"))
                arrangement = head.negotiation_arrangement
                self.spools.bundles.add(*code, member_type, member_code, arrangement, description, self.items)

    # --- provider groups --------------------------------------------------------------------------------------

    def _groups(self, rate: Rate) -> "array[int]":
        """The keys of the groups a rate names: its references as often as listed, then the inline group."""
        text = bytes(rate.provider_references)
        found = self._named.get(text) if text else _NO_GROUPS
        if found is None:
            found, odd = self._named_groups(text)
            if odd:
                self.notes["provider_references_that_are_no_ids"] += odd
            else:
                self._named[text] = found
                self._cached_bytes += len(text) + 8 * len(found)
        inline = bytes(rate.provider_groups)
        if inline.strip(_BLANK) in {b"", b"null"}:
            return found
        key = self._inline.get(inline)
        if key is None:
            key = self._inline[inline] = self._inline_group(inline)
            self._cached_bytes += len(inline)
        return array("Q", [*found, key])

    def _named_groups(self, text: bytes) -> "tuple[array[int], int]":
        """The keys of a list of references, and how many of its elements are no ids."""
        try:
            numbers = _WHOLE_NUMBERS.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            named = [normalize.group_id(value) for value in normalize.as_list(shapes.loads(text))]
            keys = array("Q", [self._key(group) for group in named if group is not None])
            return keys, len(named) - len(keys)
        limit = providers.WHOLE_KEY_LIMIT
        return array("Q", [n if 0 <= n < limit else self._key(str(n)) for n in numbers]), 0

    def _key(self, group: str) -> int:
        key = providers.group_key(group)
        if key >= providers.NAMED_KEY:
            self.spools.groups.add(key, group, None)
        return key

    def _inline_group(self, text: bytes) -> int:
        found = providers.members(Raw(text))
        group = found.inline_id
        key = providers.group_key(group)
        self.spools.groups.add(key, group, None)
        self._add_members(key, found, f"in_network[{self.items}]")
        return key

    def _add_members(self, key: int, found: providers.Members, place: str) -> None:
        self.spools.add_members(key, found, place, self.items + self.references)

    # --- elements of the root's provider_references -----------------------------------------------------------

    def add_references(self, run: Run) -> None:
        """Takes in a run of provider group definitions. Raises MrfError where they are no JSON."""
        for reference in self._read(shapes.REFERENCES, run):
            if reference is not None:
                self._add_reference(reference)
            self.references += 1

    def _add_reference(self, reference: Reference) -> None:
        group = normalize.group_id(shapes.scalar(reference.provider_group_id))
        if group is None:
            self.notes["provider_groups_without_an_id"] += 1
            return
        networks = map(normalize.text, normalize.as_list(shapes.scalar(reference.network_name)))
        text = reference.provider_groups
        found = providers.members(text) if bytes(text) else providers.Members()
        key = providers.group_key(group)
        if reference.location and bytes(text).strip(_BLANK) in {b"", b"null"}:
            self.notes["provider_groups_at_a_location"] += 1
            self.spools.locations.add(key, reference.location, self.references)
        self.spools.groups.add(key, group, sorted({name for name in networks if name}))
        self._add_members(key, found, f"provider_references[{self.references}]")

    # --- both -------------------------------------------------------------------------------------------------

    def _read(self, elements: "shapes.Elements[shapes.T]", run: Run) -> Iterable["shapes.T | None"]:
        try:
            found, lenient = elements.read(run.text)
        except shapes.Unreadable as error:
            raise MrfError(
                f"{self._name}: not JSON: {error.problem} at byte {run.offset + error.offset:,}, in {run.array}; "
                "expected an in-network file; get it again or report it to the payer"
            ) from None
        if lenient:
            self.notes[f"{run.array}_elements_read_leniently"] += lenient
        return found

    def _flush(self) -> None:
        self.runs.write(self._prices)
        self._prices = Prices()
        self._term_texts.clear()

    def _forget(self) -> None:
        """Empties the caches of texts, which would grow with the file."""
        for cache in (self._places, self._modifiers, self._named, self._inline):
            cache.clear()
        self._cached_bytes = 0


_NO_GROUPS: "array[int]" = array("Q")
_BLANK = b"[] \t\r\n"
_WHOLE_NUMBERS = msgspec.json.Decoder(list[int])
