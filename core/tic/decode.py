"""The JSON objects of an in-network file as typed structs, and two ways to read them.

The fast way decodes whole chunks of elements into the structs. What does not fit them (a number in place of text, a
scalar in place of a list) is read the lenient way, one element at a time, into the same structs; so is text that is
not strict JSON but readable (NaN, raw line breaks, bytes that are not UTF-8). Lists whose shape varies, or that repeat
so often that reading each different one once is enough, stay JSON text (`Raw`) in both.

The structs are declared with `gc=False`: they never form cycles, and millions of them would slow the collector down.
"""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from core.fields.text import as_list

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


class UndecodableError(Exception):
    """Text that is not JSON, even leniently. `offset` counts bytes from the beginning of the text."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem


T = TypeVar("T", bound=msgspec.Struct)


class ElementDecoder(Generic[T]):
    """Read chunks of array elements as structs of one kind."""

    def __init__(self, kind: type[T], lenient: Callable[[dict[str, Any]], T]) -> None:
        self._typed: msgspec.json.Decoder[list[T | None]] = msgspec.json.Decoder(list[kind | None])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._raw = msgspec.json.Decoder(list[Raw])
        self._lenient: Callable[[dict[str, Any]], T] = lenient

    def read(self, text: bytes) -> tuple[list[T | None], int]:
        """Return the structs of whole elements separated by commas, and how many were read the lenient way.

        An element that is not an object is None. Raises UndecodableError.
        """
        # Three tries, each for what the one before refused: all elements at once; if one of them does not fit, each by
        # itself, so that one odd element does not slow down the others; if the text is not strict JSON, all leniently.
        array = b"[%b]" % text
        try:
            return self._typed.decode(array), 0
        except msgspec.ValidationError:
            pass
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._read_leniently(array)
        try:
            raws = self._raw.decode(array)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._read_leniently(array)
        lenient = 0
        found: list[T | None] = []
        for raw in raws:
            try:
                found.append(self._one.decode(raw))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                lenient += 1
                found.append(self._struct(parse_json(bytes(raw))))
        return found, lenient

    def _read_leniently(self, array: bytes) -> tuple[list[T | None], int]:
        try:
            elements = parse_json(array)
        except UndecodableError as error:
            raise UndecodableError(max(error.offset - 1, 0), error.problem) from None
        return [self._struct(element) for element in elements], len(elements)

    def _struct(self, element: Any) -> T | None:
        return self._lenient(element) if isinstance(element, dict) else None


def decode_price(text: bytes) -> PriceObject | None:
    """Return the price of a JSON text, or None if it is not an object. Raises UndecodableError."""
    try:
        return _PRICE_DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = parse_json(text)
        return _build_price(value) if isinstance(value, dict) else None


def parse_json(text: bytes) -> Any:
    """Return the JSON value of a text, read leniently. Raises UndecodableError.

    Fractions become Decimal (or stay text if the exponent is out of range), so that 690.64470 keeps its digits; NaN
    becomes text, and bytes that are not UTF-8 become U+FFFD.
    """
    decoded = text.decode("utf-8", "replace")
    try:
        value = json.loads(decoded, parse_float=_fraction, parse_int=_whole, parse_constant=str, strict=False)
    except json.JSONDecodeError as error:
        raise UndecodableError(len(decoded[: error.pos].encode()), error.msg) from None
    except RecursionError:
        raise UndecodableError(0, "values nested deeper than this program follows (about 1,000 levels)") from None
    return _without_surrogates(value) if "\\u" in decoded or "\\U" in decoded else value


def encode_raw(value: Any) -> Raw:
    """Return a value that `parse_json` returned as JSON text for a Raw field."""
    return Raw(_ENCODER.encode(value))


def parse_raw(raw: Raw) -> Any:
    """Return the value of a Raw field, or None if it is absent. Raises UndecodableError."""
    text = bytes(raw)
    return parse_json(text) if text else None


def _whole(digits: str) -> int | Decimal:
    # Python refuses to read a whole number of more than 4,300 digits.
    return int(digits) if len(digits) < 4000 else Decimal(digits)


def _fraction(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits, for example
        return text


def _without_surrogates(value: Any) -> Any:
    """Return a value with halves of surrogate pairs, which UTF-8 cannot express, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not value.isascii() else value
    if isinstance(value, list):
        return [_without_surrogates(element) for element in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(element) for key, element in value.items()}
    return value


_ENCODER = msgspec.json.Encoder(decimal_format="number")


# --- the lenient way ------------------------------------------------------------------------------------------


def _scalar_text(value: Any) -> str | None:
    if isinstance(value, str) or value is None:
        return value
    return None if isinstance(value, bool | list | dict) else str(value)


def _raw_field(element: dict[str, Any], field: str) -> Raw:
    return encode_raw(element[field]) if field in element else ABSENT


def _build_price(element: dict[str, Any]) -> PriceObject:
    return PriceObject(
        negotiated_type=_scalar_text(element.get("negotiated_type")),
        negotiated_rate=element.get("negotiated_rate"),
        expiration_date=_scalar_text(element.get("expiration_date")),
        billing_class=_scalar_text(element.get("billing_class")),
        setting=_scalar_text(element.get("setting")),
        service_code=_raw_field(element, "service_code"),
        billing_code_modifier=_raw_field(element, "billing_code_modifier"),
        additional_information=_scalar_text(element.get("additional_information")),
    )


def _build_rate(element: Any) -> RateObject:
    # A rate that is not an object has no price.
    if not isinstance(element, dict):
        return RateObject()
    return RateObject(
        negotiated_prices=[encode_raw(price) for price in as_list(element.get("negotiated_prices"))],
        provider_references=_raw_field(element, "provider_references"),
        provider_groups=_raw_field(element, "provider_groups"),
    )


def _build_item(element: dict[str, Any]) -> ItemObject:
    return ItemObject(
        negotiation_arrangement=_scalar_text(element.get("negotiation_arrangement")),
        billing_code_type=_scalar_text(element.get("billing_code_type")),
        billing_code_type_version=element.get("billing_code_type_version"),
        billing_code=element.get("billing_code"),
        name=_scalar_text(element.get("name")),
        description=_scalar_text(element.get("description")),
        severity_of_illness=element.get("severity_of_illness"),
        negotiated_rates=[_build_rate(rate) for rate in as_list(element.get("negotiated_rates"))],
        bundled_codes=_raw_field(element, "bundled_codes"),
        covered_services=_raw_field(element, "covered_services"),
    )


def _build_reference(element: dict[str, Any]) -> ReferenceObject:
    return ReferenceObject(
        provider_group_id=_raw_field(element, "provider_group_id"),
        provider_groups=_raw_field(element, "provider_groups"),
        network_name=_raw_field(element, "network_name"),
        location=_scalar_text(element.get("location")),
    )


ITEM_DECODER = ElementDecoder(ItemObject, _build_item)
RATE_DECODER = ElementDecoder(RateObject, _build_rate)
REFERENCE_DECODER = ElementDecoder(ReferenceObject, _build_reference)
_PRICE_DECODER = msgspec.json.Decoder(PriceObject)
