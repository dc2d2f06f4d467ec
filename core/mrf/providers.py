"""Who a provider group is: its members, its id, and the key it goes by while a file is read."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from core.mrf import normalize, shapes

NAMED_KEY = 1 << 63
"""Keys from here on belong to ids that are no whole numbers; see `group_key`."""

WHOLE_KEY_LIMIT = 1 << 62
"""Whole numbers below this are their own keys."""


class Member(NamedTuple):
    """One member of a group. A part that is not known is None; an NPI of None is a contract with the TIN alone."""

    tin_type: str | None
    tin_value: str | None
    npi: str | None


@dataclass
class Members:
    """What one array of provider_groups says, normalised."""

    members: list[Member] = field(default_factory=list)
    """Distinct and sorted."""
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first business name given for each (tin_type, tin_value)."""
    invalid_npis: list[str] = field(default_factory=list)
    """The NPIs left out, as published; distinct, in the order met."""

    @property
    def inline_id(self) -> str:
        """The raw id of a group that has none: equal members, equal id."""
        text = ";".join(f"{m.tin_type or ''}|{m.tin_value or ''}|{m.npi or ''}" for m in self.members)
        return "inline:" + hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class _Tin(msgspec.Struct, gc=False):
    type: str | None = None
    value: str | int | None = None
    business_name: str | None = None


class _Group(msgspec.Struct, gc=False):
    npi: list[int | str] = []
    tin: _Tin | None = None


# Fields that are not of these shapes, or not there at all (an `NPI` key in capitals), take the lenient way.
_TYPED = msgspec.json.Decoder(list[_Group])


def members(provider_groups: Raw) -> Members:
    """The members of an array of provider_groups, given as its JSON text. Raises shapes.Unreadable."""
    found = Members()
    distinct: set[Member] = set()
    try:
        groups = _TYPED.decode(provider_groups)
        for group in groups:
            if not group.npi or group.tin is None:
                raise msgspec.ValidationError
            tin = normalize.tin(group.tin.type, group.tin.value)
            _add(found, distinct, tin, group.tin.business_name, group.npi)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found, distinct = Members(), set()
        for fields in normalize.as_list(shapes.scalar(provider_groups)):
            if isinstance(fields, dict):
                _add_lenient(found, distinct, {str(key).lower(): value for key, value in fields.items()})
    found.members = sorted(distinct, key=lambda m: (m.tin_type or "", m.tin_value or "", m.npi or ""))
    found.invalid_npis = list(dict.fromkeys(found.invalid_npis))
    return found


def _add_lenient(found: Members, distinct: set[Member], fields: dict[str, Any]) -> None:
    for tin in normalize.as_list(fields.get("tin")) or [None]:
        named = {str(key).lower(): value for key, value in tin.items()} if isinstance(tin, dict) else {"value": tin}
        number = normalize.tin(named.get("type"), named.get("value"))
        _add(found, distinct, number, normalize.text(named.get("business_name")), normalize.as_list(fields.get("npi")))


def _add(
    found: Members, distinct: set[Member], tin: tuple[str, str] | None, name: str | None, npis: Iterable[Any]
) -> None:
    tin_type, tin_value = tin or (None, None)
    if tin and name and name.strip():
        found.names.setdefault(tin, name.strip())
    alone = True
    for value in npis:
        npi = normalize.npi(value)
        if npi is False:
            found.invalid_npis.append(published(value))
        elif npi:
            alone = False
            distinct.add(Member(tin_type, tin_value, str(npi)))
    if alone and tin:
        distinct.add(Member(tin_type, tin_value, None))


def published(value: Any) -> str:
    """A value as the file has it, for the list of rejects: at most 200 characters."""
    text = value if isinstance(value, str) else bytes(shapes.dumps(value)).decode()
    return text[:200]


def group_key(group_id: str) -> int:
    """The 64-bit key by which rows name a group while a file is read.

    A whole number below 2**62 is its own key. Any other id has the upper bit set and 63 bits of its MD5 sum: that two
    ids of one file share a key is checked at the end of the file, and has a chance of 1 in 184,000 at 10 million ids.
    """
    if group_id.isdecimal() and group_id.isascii() and len(group_id) <= 19 and str(int(group_id)) == group_id:
        number = int(group_id)
        if number < WHOLE_KEY_LIMIT:
            return number
    digest = hashlib.md5(group_id.encode(), usedforsecurity=False).digest()
    return NAMED_KEY | (int.from_bytes(digest[:8], "big") >> 1)
