"""The JSON objects of an in-network file as typed structs, and two ways to read them.

The fast way decodes whole runs of elements into the structs. What does not fit them (a number where text belongs, a
scalar where a list belongs) is read the lenient way, one element at a time, into the same structs; so is text that
is not strict JSON but readable (NaN, raw line breaks, bytes that are no UTF-8). Lists whose shape varies, or that
repeat so often that reading each once is enough, stay JSON text (`Raw`) in both.
"""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw

from core.fields.text import as_list

ABSENT = Raw(b"")
"""The text of a list that the file does not have."""


class PriceObject(msgspec.Struct, gc=False):
    """One of a rate's negotiated_prices; read by `price`, for the few texts that are not met again and again."""

    negotiated_type: str | None = None
    negotiated_rate: Any = None
    expiration_date: str | None = None
    billing_class: str | None = None
    setting: str | None = None
    service_code: Raw = ABSENT
    billing_code_modifier: Raw = ABSENT
    additional_information: str | None = None


class RateObject(msgspec.Struct, gc=False):
    """One of an item's negotiated_rates: prices, and the provider groups they hold for."""

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
    """Text that is no JSON, even leniently. `offset` counts bytes from the beginning of the text given."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem


T = TypeVar("T", bound=msgspec.Struct)


class Elements(Generic[T]):
    """Reads runs of array elements as structs of one kind."""

    def __init__(self, kind: type[T], lenient: Callable[[dict[str, Any]], T]) -> None:
        self._typed: msgspec.json.Decoder[list[T | None]] = msgspec.json.Decoder(list[kind | None])  # type: ignore[valid-type]
        self._one: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._raw = msgspec.json.Decoder(list[Raw])
        self._lenient: Callable[[dict[str, Any]], T] = lenient

    def read(self, text: bytes) -> tuple[list[T | None], int]:
        """The structs of `text`, which is whole elements separated by commas, and how many took the lenient way.

        An element that is no object is None. Raises Unreadable.
        """
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
                found.append(self._struct(loads(bytes(raw))))
        return found, lenient

    def _read_leniently(self, array: bytes) -> tuple[list[T | None], int]:
        try:
            elements = loads(array)
        except UndecodableError as error:
            raise UndecodableError(max(error.offset - 1, 0), error.problem) from None
        return [self._struct(element) for element in elements], len(elements)

    def _struct(self, element: Any) -> T | None:
        return self._lenient(element) if isinstance(element, dict) else None


def price(text: bytes) -> PriceObject | None:
    """The price of a JSON text; None where it is no object. Raises Unreadable."""
    try:
        return _PRICE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = loads(text)
        return _price(value) if isinstance(value, dict) else None


def loads(text: bytes) -> Any:
    """The JSON value of `text`, read leniently: fractions as Decimal (as text where the exponent is beyond all
    bounds), NaN as text, odd bytes as U+FFFD.

    Raises Unreadable.
    """
    decoded = text.decode("utf-8", "replace")
    try:
        value = json.loads(decoded, parse_float=_fraction, parse_int=_whole, parse_constant=str, strict=False)
    except json.JSONDecodeError as error:
        raise UndecodableError(len(decoded[: error.pos].encode()), error.msg) from None
    except RecursionError:
        raise UndecodableError(0, "values nested deeper than this program follows (about 1,000 levels)") from None
    return _without_surrogates(value) if "\\u" in decoded or "\\U" in decoded else value


def dumps(value: Any) -> Raw:
    """A value that `loads` gave, as JSON text for a Raw field."""
    return Raw(_ENCODER.encode(value))


def scalar(raw: Raw) -> Any:
    """The value of a Raw field; None where it is absent."""
    text = bytes(raw)
    return loads(text) if text else None


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 4000 else Decimal(digits)


def _fraction(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits, for example
        return text


def _without_surrogates(value: Any) -> Any:
    """The value with halves of surrogate pairs, which no UTF-8 can hold, replaced by U+FFFD."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if not value.isascii() else value
    if isinstance(value, list):
        return [_without_surrogates(element) for element in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(element) for key, element in value.items()}
    return value


_ENCODER = msgspec.json.Encoder(decimal_format="number")


# --- the lenient way ------------------------------------------------------------------------------------------


def _text(value: Any) -> str | None:
    if isinstance(value, str) or value is None:
        return value
    return None if isinstance(value, bool | list | dict) else str(value)


def _raw(element: dict[str, Any], field: str) -> Raw:
    return dumps(element[field]) if field in element else ABSENT


def _price(element: dict[str, Any]) -> PriceObject:
    return PriceObject(
        negotiated_type=_text(element.get("negotiated_type")),
        negotiated_rate=element.get("negotiated_rate"),
        expiration_date=_text(element.get("expiration_date")),
        billing_class=_text(element.get("billing_class")),
        setting=_text(element.get("setting")),
        service_code=_raw(element, "service_code"),
        billing_code_modifier=_raw(element, "billing_code_modifier"),
        additional_information=_text(element.get("additional_information")),
    )


def _rate(element: Any) -> RateObject:
    """A rate; one that is no object has no price."""
    if not isinstance(element, dict):
        return RateObject()
    return RateObject(
        negotiated_prices=[dumps(price) for price in as_list(element.get("negotiated_prices"))],
        provider_references=_raw(element, "provider_references"),
        provider_groups=_raw(element, "provider_groups"),
    )


def _item(element: dict[str, Any]) -> ItemObject:
    return ItemObject(
        negotiation_arrangement=_text(element.get("negotiation_arrangement")),
        billing_code_type=_text(element.get("billing_code_type")),
        billing_code_type_version=element.get("billing_code_type_version"),
        billing_code=element.get("billing_code"),
        name=_text(element.get("name")),
        description=_text(element.get("description")),
        severity_of_illness=element.get("severity_of_illness"),
        negotiated_rates=[_rate(rate) for rate in as_list(element.get("negotiated_rates"))],
        bundled_codes=_raw(element, "bundled_codes"),
        covered_services=_raw(element, "covered_services"),
    )


def _reference(element: dict[str, Any]) -> ReferenceObject:
    return ReferenceObject(
        provider_group_id=_raw(element, "provider_group_id"),
        provider_groups=_raw(element, "provider_groups"),
        network_name=_raw(element, "network_name"),
        location=_text(element.get("location")),
    )


ITEMS = Elements(ItemObject, _item)
RATES = Elements(RateObject, _rate)
REFERENCES = Elements(ReferenceObject, _reference)
_PRICE = msgspec.json.Decoder(PriceObject)
