"""The JSON objects of an in-network file as typed structs, and two ways to read them.

The fast way decodes whole chunks of elements into the structs. What does not fit them (a number in place of text, a
scalar in place of a list) is read the lenient way, one element at a time, into the same structs; so is text that is
not strict JSON but readable (NaN, raw line breaks, bytes that are not UTF-8). Lists whose shape varies, or that repeat
so often that reading each different one once is enough, stay JSON text (`Raw`) in both.

Two mistakes of payers fit the structs and would lose rates: a key in another spelling, and a list given twice. Elements
that lack something, or chunks in which a key is too frequent, are looked at again and read the lenient way.

The structs are declared with `gc=False`: they never form cycles, and millions of them would slow the collector down.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from core.fields.texts.text import as_list
from core.tic.key_spelling import is_misspelt, respell
from core.tic.lenient_json import Notes, UndecodableError, encode_raw, has_repeated_keys, parse_json

ABSENT = Raw(b"")
"""The text of a field that an object does not have."""


class PriceObject(msgspec.Struct, gc=False):
    """One of a rate's negotiated_prices. Most of their texts repeat; `decode_price` reads each different one once."""

    negotiated_type: str | None = None
    negotiated_rate: Any = None
    expiration_date: str | None = None
    billing_class: str | None = None
    setting: str | None = None
    service_code: Raw = ABSENT
    billing_code_modifier: Raw = ABSENT
    additional_information: str | None = None


class RateObject(msgspec.Struct, gc=False):
    """One of an item's negotiated_rates: prices, and the provider groups they apply to."""

    negotiated_prices: list[Raw] | None = None
    provider_references: Raw = ABSENT
    provider_groups: Raw = ABSENT


class ItemObject(msgspec.Struct, gc=False):
    """One element of in_network: a billing code and its rates."""

    negotiation_arrangement: str | None = None
    billing_code_type: str | None = None
    billing_code_type_version: Any = None
    billing_code: Any = None
    name: str | None = None
    description: str | None = None
    severity_of_illness: Any = None
    negotiated_rates: list[RateObject] | None = None
    bundled_codes: Raw = ABSENT
    covered_services: Raw = ABSENT


class ReferenceObject(msgspec.Struct, gc=False):
    """One element of the root's provider_references: a provider group's definition."""

    provider_group_id: Raw = ABSENT
    provider_groups: Raw = ABSENT
    network_name: Raw = ABSENT
    location: str | None = None


T = TypeVar("T", bound=msgspec.Struct)

MISSPELT, NOT_SCALAR = "misspelt_keys", "lists_in_place_of_scalars"
"""Notes of objects with a key in another spelling, which were read, and of lists of several values and objects where
one value belongs, which were not."""

ITEM_KEYS = ItemObject.__struct_fields__
RATE_KEYS = RateObject.__struct_fields__
PRICE_KEYS = PriceObject.__struct_fields__
REFERENCE_KEYS = ReferenceObject.__struct_fields__

_SEPARATOR = b"\0"

_SHALLOW = msgspec.json.Decoder(dict[str, Raw])
_ELEMENTS = msgspec.json.Decoder(list[Raw])
_NOT_STRICT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class ElementShape(Generic[T]):
    """What one kind of element looks like, and how to tell that one should be looked at again."""

    struct: type[T]
    build: Callable[[dict[str, Any], Notes], T]
    """Makes the struct of an object that was read leniently."""
    find_incomplete: Callable[[Sequence[T | None]], list[int]]
    """Returns the positions of structs that lack something, perhaps because of its spelling."""
    is_misspelt: Callable[[bytes], bool]
    """Returns whether the JSON text of an element has a key in another spelling."""
    list_key: bytes
    """The key of the list that each element has once; elements of a chunk that has it more often are looked at."""


class ElementDecoder(Generic[T]):
    """Read chunks of array elements as structs of one kind."""

    def __init__(self, shape: ElementShape[T]) -> None:
        kind = shape.struct
        self._typed: msgspec.json.Decoder[list[T | None]] = msgspec.json.Decoder(list[kind | None])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._shape = shape

    def read(
        self, text: bytes | memoryview, notes: Notes | None = None, *, find_repeats: bool = True
    ) -> tuple[list[T | None], int]:
        """Return the structs of whole elements separated by commas, and how many were read the lenient way.

        An element that is not an object is None. `notes` count what was odd. Without `find_repeats`, of a list that an
        element has twice only the second is read. Raises UndecodableError.
        """
        # Three tries, each for what the one before refused: all elements at once; if one of them does not fit, each by
        # itself, so that one odd element does not slow down the others; if the text is not strict JSON, all leniently.
        array = _as_array(text)
        notes = Counter() if notes is None else notes
        try:
            found = self._typed.decode(array)
        except msgspec.ValidationError:
            pass
        except _NOT_STRICT:
            return self._read_leniently(array, notes)
        else:
            return found, self._look_again(found, array, notes, find_repeats=find_repeats)
        try:
            raws = _ELEMENTS.decode(array)
        except _NOT_STRICT:
            return self._read_leniently(array, notes)
        lenient = 0
        found = []
        for raw in raws:
            try:
                found.append(self._one.decode(raw))
            except _NOT_STRICT:
                lenient += 1
                found.append(self._struct(parse_json(bytes(raw), notes), notes))
        return found, lenient + self._look_again(found, array, notes, find_repeats=find_repeats)

    def _look_again(self, found: list[T | None], array: bytes, notes: Notes, *, find_repeats: bool) -> int:
        """Read elements the lenient way that have a key in another spelling or a list twice; return their number."""
        repeats = find_repeats and array.count(self._shape.list_key) > len(found)
        suspects = range(len(found)) if repeats else self._shape.find_incomplete(found)
        if not suspects:
            return 0
        raws = _ELEMENTS.decode(array)
        again = 0
        for position in suspects:
            raw = bytes(raws[position])
            if self._shape.is_misspelt(raw) or (repeats and has_repeated_keys(raw)):
                again += 1
                found[position] = self._struct(parse_json(raw, notes), notes)
        return again

    def _read_leniently(self, array: bytes, notes: Notes) -> tuple[list[T | None], int]:
        try:
            elements = parse_json(array, notes)
        except UndecodableError as error:
            raise UndecodableError(max(error.offset - 1, 0), error.problem) from None
        return [self._struct(element, notes) for element in elements], len(elements)

    def _struct(self, element: Any, notes: Notes) -> T | None:
        return self._shape.build(element, notes) if isinstance(element, dict) else None


def _as_array(text: bytes | memoryview) -> bytes:
    return b"".join((b"[", text, b"]"))


def texts_of(raws: Sequence[Raw]) -> list[bytes]:
    """Return the JSON texts of many values. Joining and splitting them takes half as long as a copy of each."""
    texts = _SEPARATOR.join(raws).split(_SEPARATOR) if raws else []
    # JSON has no such byte, but a value in which nothing looks for it might.
    return texts if len(texts) == len(raws) else list(map(bytes, raws))


def split_elements(text: bytes | memoryview) -> list[Raw]:
    """Return the JSON texts of elements separated by commas; none if the text is not strict JSON."""
    try:
        return _ELEMENTS.decode(_as_array(text))
    except _NOT_STRICT:
        return []


def split_rates(item: Raw) -> list[Raw]:
    """Return the JSON texts of an item's rates; none if the item is not strict JSON, or has no list of them."""
    rates = bytes(_shallow(bytes(item)).get("negotiated_rates", ABSENT))
    return _ELEMENTS.decode(rates) if rates.startswith(b"[") else []


def read_misspelt_rate(text: bytes, notes: Notes) -> RateObject | None:
    """Return the rate of a JSON text if one of its keys is in another spelling; otherwise None."""
    return _build_rate(parse_json(text, notes), notes) if is_misspelt(_shallow(text), RATE_KEYS) else None


def decode_price(text: bytes, notes: Notes | None = None) -> PriceObject | None:
    """Return the price of a JSON text, or None if it is not an object. Raises UndecodableError."""
    try:
        price = _PRICE_DECODER.decode(text)
    except _NOT_STRICT:
        pass
    else:
        has_rate = price.negotiated_rate is not None
        complete = has_rate and price.negotiated_type and price.billing_class and price.expiration_date
        if complete and price.service_code is not ABSENT and price.billing_code_modifier is not ABSENT:
            return price
        if has_rate and not is_misspelt(_shallow(text), PRICE_KEYS):
            return price
    notes = Counter() if notes is None else notes
    value = parse_json(text, notes)
    return _build_price(value, notes) if isinstance(value, dict) else None


# --- the lenient way ------------------------------------------------------------------------------------------


def _scalar_text(value: Any, notes: Notes) -> str | None:
    """Return a scalar, or a list of one, as text. Other lists, and objects, are counted."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, list | dict):
        notes[NOT_SCALAR] += bool(value)
        return None
    return None if isinstance(value, bool) else str(value)


def _raw_field(element: dict[str, Any], field: str) -> Raw:
    return encode_raw(element[field]) if field in element else ABSENT


def _standard(element: dict[str, Any], keys: tuple[str, ...], notes: Notes) -> dict[str, Any]:
    found, respelled = respell(element, keys)
    if respelled:
        notes[MISSPELT] += 1
    return found


def _build_price(element: dict[str, Any], notes: Notes) -> PriceObject:
    element = _standard(element, PRICE_KEYS, notes)
    return PriceObject(
        negotiated_type=_scalar_text(element.get("negotiated_type"), notes),
        negotiated_rate=element.get("negotiated_rate"),
        expiration_date=_scalar_text(element.get("expiration_date"), notes),
        billing_class=_scalar_text(element.get("billing_class"), notes),
        setting=_scalar_text(element.get("setting"), notes),
        service_code=_raw_field(element, "service_code"),
        billing_code_modifier=_raw_field(element, "billing_code_modifier"),
        additional_information=_scalar_text(element.get("additional_information"), notes),
    )


def _build_rate(element: Any, notes: Notes) -> RateObject:
    # A rate that is not an object has no price.
    if not isinstance(element, dict):
        return RateObject()
    element = _standard(element, RATE_KEYS, notes)
    return RateObject(
        negotiated_prices=[encode_raw(price) for price in as_list(element.get("negotiated_prices"))],
        provider_references=_raw_field(element, "provider_references"),
        provider_groups=_raw_field(element, "provider_groups"),
    )


def _build_item(element: dict[str, Any], notes: Notes) -> ItemObject:
    element = _standard(element, ITEM_KEYS, notes)
    return ItemObject(
        negotiation_arrangement=_scalar_text(element.get("negotiation_arrangement"), notes),
        billing_code_type=_scalar_text(element.get("billing_code_type"), notes),
        billing_code_type_version=element.get("billing_code_type_version"),
        billing_code=element.get("billing_code"),
        name=_scalar_text(element.get("name"), notes),
        description=_scalar_text(element.get("description"), notes),
        severity_of_illness=element.get("severity_of_illness"),
        negotiated_rates=[_build_rate(rate, notes) for rate in as_list(element.get("negotiated_rates"))],
        bundled_codes=_raw_field(element, "bundled_codes"),
        covered_services=_raw_field(element, "covered_services"),
    )


def _build_reference(element: dict[str, Any], notes: Notes) -> ReferenceObject:
    element = _standard(element, REFERENCE_KEYS, notes)
    return ReferenceObject(
        provider_group_id=_raw_field(element, "provider_group_id"),
        provider_groups=_raw_field(element, "provider_groups"),
        network_name=_raw_field(element, "network_name"),
        location=_scalar_text(element.get("location"), notes),
    )


# --- what is looked at again ----------------------------------------------------------------------------------


def _incomplete_items(items: Sequence[ItemObject | None]) -> list[int]:
    # Payers' programs spell every rate of an item alike, so its first rate is enough to look at. MisspeltRates reads
    # those of others.
    return [
        position
        for position, item in enumerate(items)
        if item is not None
        and not (
            item.billing_code
            and item.billing_code_type
            and item.negotiation_arrangement
            and item.negotiated_rates
            and (first := item.negotiated_rates[0]).negotiated_prices
            and (first.provider_references is not ABSENT or first.provider_groups is not ABSENT)
        )
    ]


def _incomplete_rates(rates: Sequence[RateObject | None]) -> list[int]:
    # These are rates of one item, see above: all of them are looked at if the first lacks something.
    first = rates[0] if rates else None
    complete = first is None or (
        first.negotiated_prices and (first.provider_references is not ABSENT or first.provider_groups is not ABSENT)
    )
    return [] if complete else [position for position, rate in enumerate(rates) if rate is not None]


def _incomplete_references(references: Sequence[ReferenceObject | None]) -> list[int]:
    return [
        position
        for position, reference in enumerate(references)
        if reference is not None
        and (reference.provider_group_id is ABSENT or (reference.provider_groups is ABSENT and not reference.location))
    ]


def _shallow(raw: bytes) -> dict[str, Raw]:
    """Return an object's values as JSON texts, or nothing if the text is not strict JSON: that was read leniently."""
    try:
        return _SHALLOW.decode(raw)
    except _NOT_STRICT:
        return {}


def _is_item_misspelt(raw: bytes) -> bool:
    if is_misspelt(_shallow(raw), ITEM_KEYS):
        return True
    first = next(iter(split_rates(Raw(raw))), None)
    return first is not None and is_misspelt(_shallow(bytes(first)), RATE_KEYS)


ITEM_DECODER = ElementDecoder(
    ElementShape(ItemObject, _build_item, _incomplete_items, _is_item_misspelt, b'"negotiated_rates"')
)
RATE_DECODER = ElementDecoder(
    ElementShape(
        RateObject,
        _build_rate,
        _incomplete_rates,
        lambda raw: is_misspelt(_shallow(raw), RATE_KEYS),
        b'"negotiated_prices"',
    )
)
REFERENCE_DECODER = ElementDecoder(
    ElementShape(
        ReferenceObject,
        _build_reference,
        _incomplete_references,
        lambda raw: is_misspelt(_shallow(raw), REFERENCE_KEYS),
        b'"provider_groups"',
    )
)
_PRICE_DECODER = msgspec.json.Decoder(PriceObject)
