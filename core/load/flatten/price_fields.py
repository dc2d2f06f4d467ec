"""What prices say besides their rates, each text of it read once."""

from typing import Any

from core.fields.dates import parse_date, parse_expiration
from core.fields.modifier import parse_modifiers
from core.fields.place_of_service import parse_places
from core.fields.text import parse_lower, parse_text
from core.load.staging.price_rows import PriceFieldCache
from core.load.staging.price_runs import PriceFields
from core.store.schema import ids
from core.tic import decode
from core.tic.decode import PriceObject

REMEMBERED = 100_000
"""Texts that are remembered before they are forgotten."""


class PriceFieldsReader:
    """Reads prices' terms into a vocabulary, which its owner replaces from time to time."""

    def __init__(self) -> None:
        self.words = PriceFieldCache()
        self.pos_sets: dict[str, tuple[str, ...]] = {}
        """The sets of places of service met, by id."""
        self._places: dict[bytes, str] = {}
        self._modifiers: dict[bytes, str] = {}

    def of(self, price: PriceObject) -> int:
        """The number of what a price says besides its rate."""
        remark = price.additional_information
        terms = PriceFields(
            parse_lower(price.negotiated_type),
            parse_expiration(price.expiration_date),
            parse_lower(price.billing_class),
            parse_lower(price.setting),
            self._modifiers_of(bytes(price.billing_code_modifier)),
            self._pos_set_of(bytes(price.service_code)),
            remark if remark and remark.strip() else None,
        )
        found = self.words.terms.get(terms)
        if found is None:
            found = self.words.terms[terms] = len(self.words.terms)
            self.words.text_bytes += len(remark or "")
        if parse_text(price.expiration_date) and not parse_date(price.expiration_date):
            self.words.odd_dates.add(found)
        return found

    def _modifiers_of(self, text: bytes) -> str:
        found = self._modifiers.get(text)
        if found is None:
            found = parse_modifiers(decode.loads(text) if text else None)
            remember(self._modifiers, text, found)
        return found

    def _pos_set_of(self, text: bytes) -> str:
        found = self._places.get(text)
        if found is None:
            codes = parse_places(decode.loads(text) if text else None)
            found = ids.pos_set_id(codes)
            self.pos_sets[found] = codes
            remember(self._places, text, found)
        return found


def remember(cache: dict[Any, Any], key: Any, value: Any) -> None:
    """Keeps a value in a cache that is emptied when it has grown large."""
    if len(cache) > REMEMBERED:
        cache.clear()
    cache[key] = value
