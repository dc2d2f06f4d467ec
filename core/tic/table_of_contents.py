"""Tables of contents: which files a payer publishes, and for which plans. They may be as large as the files they list.

A payer lists the same file for many plans, and the same plans for many files. Each file, plan, and set of plans is kept
once, so that memory grows with what is different and not with the length of the list.
"""

import fnmatch
import html
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from core.fetch.address import Address, parse_address
from core.fields.texts.text import as_list, parse_text
from core.runtime.errors import FetchError, PayerFileError
from core.runtime.progress import Progress
from core.tic import decode, lenient_json
from core.tic.array_splitter import ArraySplitter, ElementChunk, RootValue
from core.tic.header import is_empty_value
from core.tic.key_spelling import respell
from core.tic.lenient_json import Notes
from core.tic.plans import Plan, parse_plan
from core.tic.source import Source

_STREAMED = ("reporting_structure",)
_OTHER_KINDS = {
    "in_network": "an in-network file; load it without --toc",
    "out_of_network": "an allowed-amounts file, which this program does not load",
    "provider_groups": "a provider-reference file, which an in-network file points to",
}
_MAX_PROBLEMS = 10


class _Plan(msgspec.Struct, gc=False):
    plan_name: str | int | None = None
    plan_id_type: str | None = None
    plan_id: str | int | None = None
    plan_market_type: str | None = None
    issuer_name: str | None = None
    plan_sponsor_name: str | None = None
    plan_sponser_name: str | None = None  # so a big payer spells it


class _File(msgspec.Struct, gc=False):
    location: str | None = None
    description: str | None = None


class _Structure(msgspec.Struct, gc=False):
    reporting_plans: list[_Plan | None] | None = None
    in_network_files: list[_File | None] | None = None
    allowed_amount_file: Raw = decode.ABSENT
    allowed_amount_files: Raw = decode.ABSENT


@dataclass
class ListedFile:
    """A file that a table of contents lists, however often."""

    address: Address
    description: str
    _plan_sets: set[int] = field(default_factory=set)


class TableOfContents:
    """The files and plans that a table of contents lists.

    `left_out` counts, by kind, what it lists besides in-network files with an address; `problems` describes the first
    locations that are not addresses.
    """

    def __init__(self) -> None:
        self.payer: str | None = None
        """Whose table it is: the payer of listed files that do not name theirs."""
        self.left_out: Counter[str] = Counter()
        self.problems: list[str] = []
        self.altered_plans = 0
        """Plans with a text that was shortened, or from which control characters were removed."""
        self._files: dict[str, ListedFile] = {}
        self._by_location: dict[str, ListedFile | None] = {}
        self._plans: dict[Plan, int] = {}
        self._plans_in_order: list[Plan] = []
        self._plan_sets: dict[frozenset[int], int] = {}
        self._sets_in_order: list[frozenset[int]] = []

    @property
    def files(self) -> list[ListedFile]:
        """Return each file once, in the order of the list."""
        return list(self._files.values())

    @property
    def plans(self) -> list[Plan]:
        """Return each plan once, in the order of the list."""
        return self._plans_in_order

    def plans_of(self, file: ListedFile) -> frozenset[Plan]:
        """Return the plans that a file is listed for."""
        return frozenset(
            self._plans_in_order[plan] for number in file._plan_sets for plan in self._sets_in_order[number]
        )

    def choose(self, plans: Iterable[str] = (), matches: Iterable[str] = ()) -> list[ListedFile]:
        """Return the files listed for one of `plans` whose address or description matches one of `matches`.

        Without `plans` or `matches`, that condition is left out. A plan is named by its id, with or without dashes, or
        by part of its name or of its sponsor's or issuer's; a match is part of a text, or a pattern with * and ?; case
        does not matter. Raises PayerFileError for a plan that is not listed, and if no file is left.
        """
        wanted = [self._find_plans(text) for text in plans]
        numbers = frozenset().union(*wanted)
        sets = {n for n, members in enumerate(self._sets_in_order) if members & numbers}
        patterns = list(matches)
        found = [
            file
            for file in self.files
            if (not wanted or file._plan_sets & sets)
            and (not patterns or any(_matches(file, pattern) for pattern in patterns))
        ]
        if not found:
            raise PayerFileError(
                f"none of the {len(self._files):,} files of the table of contents matches; --list shows them"
                if self._files
                else "the table of contents lists no in-network file that has a web address"
            )
        return found

    def add(self, structure: "_Structure") -> None:
        """Add one element of reporting_structure."""
        plans = [self._number_plan(fields) for fields in structure.reporting_plans or () if fields]
        number = self._number_plan_set(frozenset([plan for plan in plans if plan is not None]))
        for fields in structure.in_network_files or ():
            file = self._find_file(fields)
            if file:
                file._plan_sets.add(number)
        for raw in (structure.allowed_amount_file, structure.allowed_amount_files):
            count = len(as_list(lenient_json.parse_raw(raw)))
            if count:
                self.left_out["allowed-amount files"] += count

    def _number_plan(self, fields: _Plan) -> int | None:
        """Return the number of the plan that an object names, or None if it names none."""
        plan, done = parse_plan(msgspec.structs.asdict(fields))
        if plan and plan not in self._plans:
            self._plans[plan] = len(self._plans_in_order)
            self._plans_in_order.append(plan)
            self.altered_plans += bool(done)
        return self._plans[plan] if plan else None

    def _number_plan_set(self, plans: frozenset[int]) -> int:
        if plans not in self._plan_sets:
            self._plan_sets[plans] = len(self._sets_in_order)
            self._sets_in_order.append(plans)
        return self._plan_sets[plans]

    def _find_file(self, fields: _File | None) -> ListedFile | None:
        if fields is None or not fields.location or not fields.location.strip():
            self.left_out["entries without a location"] += 1
            return None
        if fields.location in self._by_location:
            return self._by_location[fields.location]
        try:
            # Some tables were made from web pages, in which & is written &amp;.
            address = parse_address(html.unescape(fields.location))
        except FetchError as error:
            self.left_out["locations that are not web addresses"] += 1
            if len(self.problems) < _MAX_PROBLEMS:
                self.problems.append(str(error))
            file = None
        else:
            file = self._files.setdefault(address.identity, ListedFile(address, parse_text(fields.description) or ""))
            # The same file may be listed with several signatures, some of which have expired.
            if file.address.expired_at and not address.expired_at:
                file.address = address
        self._by_location[fields.location] = file
        return file

    def _find_plans(self, text: str) -> frozenset[int]:
        wanted, number = text.strip().casefold(), _bare(text)
        found = frozenset(
            n
            for plan, n in self._plans.items()
            if (number and number == _bare(plan.plan_id))
            or any(wanted in name.casefold() for name in (plan.plan_name, plan.plan_sponsor_name, plan.issuer_name))
        )
        if not found:
            count, some = len(self._plans), "; ".join(plan.label for plan in self._plans_in_order[:3])
            raise PayerFileError(
                f"--plan {text!r}: none of the {count:,} plans has that id, or that text in the name of the plan, its "
                "sponsor, or its issuer" + (f"; some of them: {some}" if some else "")
            )
        return found


def read_contents(source: Source, progress: Progress | None = None) -> TableOfContents:
    """Read a table of contents. Raises PayerFileError for another kind of file."""
    name, kind = source.name, "a table of contents"
    contents, found = TableOfContents(), False
    others: list[str] = []
    for part in ArraySplitter(name, source.read_blocks(progress), _STREAMED, kind).parts():
        chunk = part if isinstance(part, ElementChunk) else _read_root_value(name, part, contents, others)
        if chunk is None:
            continue
        found = True
        for structure in _read_structures(name, chunk):
            if structure is None:
                contents.left_out["entries that are not objects"] += 1
            else:
                contents.add(structure)
    if not found:
        problem = f"not {kind} but {others[0]}" if others else f"has no reporting_structure; expected {kind}"
        raise PayerFileError(f"{name}: {problem}")
    return contents


def _read_root_value(name: str, value: RootValue, contents: TableOfContents, others: list[str]) -> ElementChunk | None:
    """Return the elements of reporting_structure where it is not an array, and None for other values of the root.

    `others` are the other kinds of file that the value's key belongs to. Raise PayerFileError if it has any content.
    """
    if value.key in _OTHER_KINDS:
        others.append(_OTHER_KINDS[value.key])
        if not is_empty_value(value.text):
            raise PayerFileError(f"{name}: not a table of contents but {others[-1]}")
    if value.key == "reporting_entity_name":
        contents.payer = _read_payer(value)
    if value.key != "reporting_structure":
        return None
    # An object that stands for a list.
    return ElementChunk(value.key, _as_elements(name, value), 0)


def _read_structures(name: str, chunk: ElementChunk) -> Iterator[_Structure | None]:
    try:
        yield from _STRUCTURES.read(chunk.text)[0]
    except lenient_json.UndecodableError as error:
        raise PayerFileError(
            f"{name}: not JSON: {error.problem} at byte {chunk.offset + error.offset:,}, in {chunk.array}; "
            "expected a table of contents; download it again or report it to the payer"
        ) from None


def _as_elements(name: str, value: RootValue) -> bytes:
    text = (value.text or b"").strip()
    if text == b"null":
        return b""
    if not text.startswith(b"{"):
        raise PayerFileError(f"{name}: reporting_structure is not an array; expected a table of contents")
    return text


def _read_payer(value: RootValue) -> str | None:
    try:
        found = lenient_json.parse_json(value.text or b"null")
    except lenient_json.UndecodableError:
        return None
    return found if isinstance(found, str) and parse_text(found) else None


def _bare(plan_id: str) -> str:
    """Return an id without what people put between its digits: 12-3456789 is 123456789."""
    return "".join(filter(str.isalnum, plan_id.casefold()))


def _matches(file: ListedFile, pattern: str) -> bool:
    wanted = pattern.casefold()
    texts = [file.address.public.casefold(), file.address.name.casefold(), file.description.casefold()]
    if any(mark in wanted for mark in "*?["):
        return any(fnmatch.fnmatchcase(text, wanted) for text in texts)
    return any(wanted in text for text in texts)


# --- the lenient way ------------------------------------------------------------------------------------------

_STRUCTURE_KEYS = _Structure.__struct_fields__
_FILE_KEYS = _File.__struct_fields__
_FILE_ALIASES = {"url": "location", "file_url": "location", "uri": "location", "href": "location"}


def _build_structure(element: dict[str, Any], _notes: Notes) -> _Structure:
    element, _ = respell(element, _STRUCTURE_KEYS)
    plans = [plan if isinstance(plan, dict) else None for plan in as_list(element.get("reporting_plans"))]
    return _Structure(
        [_build_plan(plan) if plan else None for plan in plans],
        [_build_file(file) for file in as_list(element.get("in_network_files"))],
        *(lenient_json.encode_raw(element.get(key)) for key in ("allowed_amount_file", "allowed_amount_files")),
    )


def _build_plan(plan: dict[str, Any]) -> _Plan:
    plan, _ = respell(plan, Plan._fields)
    return _Plan(**{name: plan.get(name) for name in Plan._fields})


def _build_file(file: Any) -> _File | None:
    """Return a file that is listed as an object, or as a bare address."""
    if isinstance(file, str):
        return _File(parse_text(file))
    if not isinstance(file, dict) or not file:
        return None
    fields, _ = respell(
        {_FILE_ALIASES.get(str(key).lower(), str(key)): value for key, value in file.items()}, _FILE_KEYS
    )
    return _File(parse_text(fields.get("location")), parse_text(fields.get("description")))


def _incomplete_structures(structures: Sequence[_Structure | None]) -> list[int]:
    return [position for position, each in enumerate(structures) if each is not None and not _is_complete(each)]


def _is_complete(structure: _Structure) -> bool:
    plans, files = structure.reporting_plans, structure.in_network_files
    return bool(
        plans
        and files
        and all(plan and plan.plan_name and plan.plan_id for plan in plans)
        and all(file and file.location for file in files)
    )


_STRUCTURES = decode.ElementDecoder(
    decode.ElementShape(
        _Structure,
        _build_structure,
        _incomplete_structures,
        # Few structures are incomplete, so each of them is read the lenient way.
        lambda _raw: True,
        b'"in_network_files"',
    )
)
