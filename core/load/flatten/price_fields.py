"""What prices say besides their rates. Each distinct text is read once."""

from collections import Counter
from typing import Any

from core.fields.codes.modifier import parse_modifiers
from core.fields.dates import parse_date, parse_expiration
from core.fields.places.place_of_service import parse_places
from core.fields.texts.clean_text import SHORTENED, cleaned, remove_forbidden, shorten
from core.fields.texts.text import parse_lower, parse_text
from core.load.batch.altered_texts import count_altered
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.staging.price_field_cache import PriceFieldCache
from core.load.staging.price_runs import PriceFields
from core.store.schema import ids
from core.store.schema.tables import DIM_POS_SET, FACT_RATE
from core.tic import decode, lenient_json
from core.tic.decode import PriceObject

RATE_KEY = b'"negotiated_rate":'

TEXT_TOO_LONG = -1
"""Stands for the number of a price with a text that is too long for its column of the grain."""

_LONGEST = {column.name: column.max_length for column in FACT_RATE.columns if column.max_length is not None}
_PLACES = DIM_POS_SET.column("service_codes")

_PROBE = b"86753090.125"
"""A number that is put in place of a rate, to see whether it is the rate. No file has it as a rate."""


class PriceFieldsReader:
    """Reads price fields into `cache`."""

    def __init__(self, sizes: LoadSizes = DEFAULT_SIZES) -> None:
        self.pos_sets: dict[str, tuple[str, ...]] = {}
        """The distinct sets of places of service, by id."""
        self.notes: Counter[str] = Counter()
        """What was done to texts, see core.load.batch.altered_texts."""
        self._sizes = sizes
        self._pos_set_ids: dict[bytes, str] = {}
        self._modifiers: dict[bytes, str] = {}
        self.start_over()

    def start_over(self) -> None:
        """Forget the fields. No price row in memory may refer to them."""
        self.cache = PriceFieldCache(self._sizes.cached_field_bytes)

    def number_of(self, price: PriceObject) -> int:
        """Return the number of what a price says besides its rate, or TEXT_TOO_LONG."""
        remark, done = _read_remark(price.additional_information)
        done |= cleaned(price.negotiated_type, price.billing_class, price.setting)
        kind, billing_class, setting = map(parse_lower, (price.negotiated_type, price.billing_class, price.setting))
        modifier = self._modifiers_of(bytes(price.billing_code_modifier))
        grain = {
            "negotiated_type": kind,
            "billing_class": billing_class,
            "setting": setting,
            "billing_code_modifier": modifier,
        }
        if any(text and len(text) > _LONGEST[name] for name, text in grain.items()):
            return TEXT_TOO_LONG
        # Places come last: a set that no row uses must not get into the store.
        pos_set_id = self._pos_set_of(bytes(price.service_code))
        if pos_set_id is None:
            return TEXT_TOO_LONG
        fields = PriceFields(
            negotiated_type=kind,
            expiration_date=parse_expiration(price.expiration_date),
            billing_class=billing_class,
            setting=setting,
            billing_code_modifier=modifier,
            pos_set_id=pos_set_id,
            additional_information=remark,
        )
        self.notes.update(count_altered(done))
        cache = self.cache
        has_odd_date = bool(parse_text(price.expiration_date)) and not parse_date(price.expiration_date)
        found = cache.price_numbers.get((fields, has_odd_date))
        if found is None:
            found = cache.price_numbers[fields, has_odd_date] = len(cache.price_numbers)
            cache.text_bytes += len(remark or "")
            if has_odd_date:
                cache.with_odd_dates.add(found)
        return found

    def remember(self, text: bytes, number: int) -> None:
        """Remember the number of a price's fields, to be found by the price's text without its rate."""
        parts = text_around_rate(text)
        if parts is None:
            return
        head, tail = parts
        self.cache.by_price_text[head + tail] = number
        self.cache.text_bytes += 2 * (len(head) + len(tail) + 100)
        self.cache.price_head = self.cache.price_head or head
        if head == self.cache.price_head:
            self.cache.by_price_tail[tail] = number

    def _modifiers_of(self, text: bytes) -> str:
        found = self._modifiers.get(text)
        if found is None:
            found = parse_modifiers(lenient_json.parse_json(text) if text else None)
            self._keep(self._modifiers, text, found)
        return found

    def _pos_set_of(self, text: bytes) -> str | None:
        """Return the id of a set of places of service; None if it has too many, or one that is too long."""
        found = self._pos_set_ids.get(text)
        if found is None:
            codes = parse_places(lenient_json.parse_json(text) if text else None)
            if len(codes) > (_PLACES.max_items or 0) or any(len(code) > _PLACES.longest for code in codes):
                return None
            found = ids.pos_set_id(codes)
            self.pos_sets[found] = codes
            self._keep(self._pos_set_ids, text, found)
        return found

    def _keep(self, texts: dict[bytes, Any], text: bytes, value: Any) -> None:
        if len(texts) > self._sizes.cached_texts:
            texts.clear()
        texts[text] = value


def _read_remark(text: str | None) -> tuple[str | None, int]:
    """Return a payer's remark as it is stored, untrimmed, and what was done to it."""
    if not text or parse_text(text) is None:
        return None, 0
    remark, longest = remove_forbidden(text), _LONGEST["additional_information"]
    return shorten(remark, longest), cleaned(text) | (SHORTENED if len(remark) > longest else 0)


def text_around_rate(text: bytes) -> tuple[bytes, bytes] | None:
    """Return a price's JSON text before and after its rate, None if what follows RATE_KEY may not be the rate.

    The key may belong to an object within the price, or appear a second time. So another number is put in place of
    the rate: if the price then has that rate, cutting it out is safe for every text that is equal but for the rate.
    """
    at = text.find(RATE_KEY) + len(RATE_KEY)
    end = text.find(b",", at)
    try:
        float(text[at:end])
        price = decode.decode_price(b"%b%b%b" % (text[:at], _PROBE, text[end:]))
    except (ValueError, lenient_json.UndecodableError):
        return None
    return (text[:at], text[end:]) if price and price.negotiated_rate == float(_PROBE) else None
