"""Find the members of provider groups in a file that a `location` leads to.

The standard's file is `{"provider_groups": [...], "version": ...}`. Payers also publish the bare array, one object of
it, definitions of several groups with their ids, and each of these within another object.
"""

from dataclasses import dataclass, field
from typing import Any

from core.fields.providers.provider_group_id import parse_provider_group_id
from core.fields.texts.text import as_list
from core.tic.key_spelling import respell

_KEYS = ("provider_groups", "provider_group_id", "provider_references", "npi", "tin")
_DEEPEST = 5
"""How deep members may be wrapped in other objects and lists."""


@dataclass
class RemoteMembers:
    """The objects of a file's provider_groups arrays: of groups with an id, and of no group in particular."""

    by_id: dict[str, list[Any]] = field(default_factory=dict)
    anonymous: list[Any] = field(default_factory=list)

    @property
    def shared(self) -> list[Any]:
        """Return the members of whatever group leads to the file: all of them, unless they are of several groups."""
        if not self.by_id:
            return self.anonymous
        (first, *others) = self.by_id.values()
        return [] if others or self.anonymous else first


def find_remote_members(value: Any) -> RemoteMembers:
    """Return the members in a file's JSON value, in whatever shape it is."""
    found = RemoteMembers()
    _collect(value, found, 0)
    return found


def _collect(value: Any, found: RemoteMembers, depth: int) -> None:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            _collect(each, found, depth + 1)
    if not isinstance(value, dict):
        return
    fields, _ = respell(value, _KEYS)
    if "provider_groups" in fields:
        group = parse_provider_group_id(fields.get("provider_group_id"))
        into = found.anonymous if group is None else found.by_id.setdefault(group, [])
        into += as_list(fields["provider_groups"])
    elif fields.get("npi") is not None or fields.get("tin") is not None:
        found.anonymous.append(value)
    elif "provider_references" in fields:
        _collect(fields["provider_references"], found, depth + 1)
    else:
        for inner in value.values():
            if isinstance(inner, dict | list):
                _collect(inner, found, depth + 1)
