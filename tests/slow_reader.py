"""The rules of the facts once more, slowly and obviously: one file, read completely, row by row.

It shares no code with the program. What it says and what the program does must agree.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

Fact = tuple[Any, ...]

remembered = lru_cache(maxsize=1 << 16)
"""A file says the same words millions of times: rules of one text alone are applied to each text once."""

COLUMNS = (
    "state", "year_month", "reporting_entity_name", "code_type", "code", "pg_uid", "pos_set_id", "negotiated_type",
    "negotiation_arrangement", "expiration_date", "negotiated_rate", "provider_group_id_raw", "billing_class",
    "setting", "billing_code_modifier", "severity_of_illness",
)  # fmt: skip
"""The grain."""

CARRIED = ("additional_information", "billing_code_type_version")
"""Columns outside the grain: of facts of one grain, those of the first in the file stay."""


@dataclass
class Group:
    """A provider group: its members as (tin_type, tin_value, npi), and what was left out: a reason and a value each."""

    members: set[tuple[str | None, str | None, str | None]] = field(default_factory=set)
    odd: set[tuple[str, str]] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)


@dataclass
class Flat:
    """Everything that one file amounts to."""

    batch_id: str
    facts: dict[Fact, tuple[str | None, str | None]] = field(default_factory=dict)
    """The grain of each fact, and the values of CARRIED."""
    read: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    groups: dict[str, Group] = field(default_factory=dict)
    """Groups that facts name, by raw id."""
    inline: dict[str, Group] = field(default_factory=dict)
    """Inline groups, whether a fact names them or not."""
    pos_sets: dict[str, list[str]] = field(default_factory=dict)
    codes: dict[tuple[str, str], list[str | None]] = field(default_factory=dict)
    bundles: set[tuple[str, str, str, str]] = field(default_factory=set)
    exact: set[str] = field(default_factory=set)
    """Ids of groups that the file defines in two spellings of one number."""

    @property
    def group_npis(self) -> set[tuple[str, str]]:
        return {(raw, npi) for raw, group in self.groups.items() for _, _, npi in group.members if npi}

    @property
    def group_tins(self) -> set[tuple[str, str, str]]:
        return {(raw, kind, tin) for raw, g in self.groups.items() for kind, tin, _ in g.members if kind and tin}


def flatten(content: bytes, state: str, year_month: str | None = None) -> Flat:
    """Return the facts of a file, passed as its JSON bytes."""
    root = json.loads(
        content.decode("utf-8-sig"), parse_float=_decimal, parse_constant=str, object_pairs_hook=_join_lists
    )
    flat = Flat(hashlib.sha256(content).hexdigest()[:32])
    month = year_month or _month(root["last_updated_on"])
    defined: dict[str, Group] = {}
    spellings: dict[str, set[str]] = {}
    for reference in _list(root.get("provider_references")):
        spelling = _spelling(reference.get("provider_group_id"))
        if spelling is not None:
            spellings.setdefault(_group_id(spelling, set()) or "", set()).add(spelling)
    flat.exact = {spelling for same in spellings.values() if len(same) > 1 for spelling in same}
    for reference in _list(root.get("provider_references")):
        raw = _group_id(reference.get("provider_group_id"), flat.exact)
        if raw is not None:
            group = defined.setdefault(raw, Group())
            _add_members(group, reference.get("provider_groups"))
            group.networks |= {text for name in _list(reference.get("network_name")) if (text := cut(_text(name), 300))}
    for item in _list(root.get("in_network")):
        if isinstance(item, dict):
            _add_item(flat, defined, item, (state, month, root["reporting_entity_name"]))
    # What is remembered lies between what is forgotten, and would keep its memory.
    for rule in (clean, _word, _date_of, _places_in, _modifiers_in):
        rule.cache_clear()
    return flat


def _add_item(flat: Flat, defined: dict[str, Group], item: dict[str, Any], scope: tuple[str, str, str]) -> None:
    code_type = _upper(item.get("billing_code_type"))
    code_type = "REV" if code_type == "RC" else code_type
    code = _upper(item.get("billing_code"))
    if code and code_type in {"REV", "MS-DRG"} and re.fullmatch("[0-9]+", code):
        code = code.rjust(4 if code_type == "REV" else 3, "0")
    words = [_lower(item.get("negotiation_arrangement")) or "", _text(item.get("severity_of_illness")) or ""]
    for rate in _list(item.get("negotiated_rates")):
        if not isinstance(rate, dict):
            continue
        named: list[str] = []
        for reference in _list(rate.get("provider_references")):
            raw = _group_id(reference, flat.exact)
            if raw is not None:
                named.append(raw)
        inline = Group()
        if _list(rate.get("provider_groups")):
            _add_members(inline, rate["provider_groups"])
            by_tin: dict[tuple[str, str], list[str]] = {}
            for kind, tin, npi in inline.members:
                by_tin.setdefault((kind or "", tin or ""), []).append(npi or "")
            texts = [";".join(f"{kind}|{tin}|{npi}" for npi in sorted(of)) for (kind, tin), of in by_tin.items()]
            text = ";".join(sorted(texts))
            raw = "inline:" + hashlib.md5(text.encode()).hexdigest()
            flat.inline.setdefault(raw, Group(inline.members)).odd.update(inline.odd)
            named.append(raw)
        for price in _list(rate.get("negotiated_prices")):
            number = _rate(price.get("negotiated_rate")) if isinstance(price, dict) else None
            flat.read += len(named) or 1
            if not code_type or not code:
                flat.rejected["no_code"] += len(named) or 1
            elif len(code_type) > 20 or len(code) > 40:
                flat.rejected["code_too_long"] += len(named) or 1
            elif max(map(len, words)) > 40:
                flat.rejected["text_too_long"] += len(named) or 1
            elif not named:
                flat.rejected["no_provider"] += 1
            elif not isinstance(price, dict):
                flat.rejected["no_price"] += len(named)
            elif number is None:
                flat.rejected["invalid_rate"] += len(named)
            elif _is_too_long(price):
                flat.rejected["text_too_long"] += len(named)
            else:
                places = _places(price.get("service_code"))
                pos_set_id = hashlib.md5(",".join(places).encode()).hexdigest()
                flat.pos_sets[pos_set_id] = places
                _describe(flat, item, code_type, code)
                words_after = (
                    _lower(price.get("billing_class")), _lower(price.get("setting")),
                    _modifiers(price.get("billing_code_modifier")), _text(item.get("severity_of_illness")),
                )  # fmt: skip
                words_before = (
                    pos_set_id, _lower(price.get("negotiated_type")), _lower(item.get("negotiation_arrangement")),
                    _expiration(price.get("expiration_date")),
                )  # fmt: skip
                remark = price.get("additional_information")
                remark = cut(clean(remark), 2000) if isinstance(remark, str) and _text(remark) else None
                carried = remark, cut(_text(item.get("billing_code_type_version")), 100)
                for raw in named:
                    pg_uid = hashlib.md5(f"{flat.batch_id}|{raw}".encode()).hexdigest()
                    flat.groups[raw] = flat.inline.get(raw) or defined.get(raw) or Group()
                    fact = (*scope, code_type, code, pg_uid, *words_before, number, raw, *words_after)
                    if fact in flat.facts:
                        flat.duplicates += 1
                    else:
                        flat.facts[fact] = carried


def _describe(flat: Flat, item: dict[str, Any], code_type: str, code: str) -> None:
    words = flat.codes.setdefault((code_type, code), [None, None])
    words[0] = words[0] or cut(_text(item.get("description")), 2000)
    words[1] = words[1] or cut(_text(item.get("name")), 2000)
    for member in _list(item.get("bundled_codes")) + _list(item.get("covered_services")):
        kind = _upper(member.get("billing_code_type"))
        number = _upper(member.get("billing_code"))
        if kind and number:
            flat.bundles.add((code_type, code, "REV" if kind == "RC" else kind, number))


def _is_too_long(price: dict[str, Any]) -> bool:
    """Return whether a text of the price is too long for its column of the grain."""
    words = [_lower(price.get(name)) or "" for name in ("negotiated_type", "billing_class", "setting")]
    places = _places(price.get("service_code"))
    return (
        max(map(len, words)) > 40
        or len(_modifiers(price.get("billing_code_modifier"))) > 100
        or len(places) > 200
        or any(len(place) > 20 for place in places)
    )


def _add_members(group: Group, provider_groups: Any) -> None:
    for one in _list(provider_groups):
        if not isinstance(one, dict):
            group.odd.add(("no_object", str(one)))
            continue
        fields = {key.lower(): value for key, value in one.items()}
        tin = fields.get("tin")
        kind, value = (tin.get("type"), tin.get("value")) if isinstance(tin, dict) else (None, tin)
        tin_type, tin_value = _tin(group, _lower(kind), value)
        found = set()
        for value in _list(fields.get("npi")):
            text = _text(value)
            if re.fullmatch(r"0+(\.0*)?", text or "") or (text is None and (value is None or isinstance(value, str))):
                continue
            digits = re.sub(r"\.0*$", "", text or "")
            if re.fullmatch("[12][0-9]{9}", digits):
                found.add(digits)
            else:
                group.odd.add(("invalid_npi", str(value)))
        group.members |= {(tin_type, tin_value, npi) for npi in found}
        if not found and tin_value:
            group.members.add((tin_type, tin_value, None))


def _tin(group: Group, kind: str | None, value: Any) -> tuple[str | None, str | None]:
    text = _text(value) or ""
    if not re.search("[1-9A-Za-z]", text):
        if isinstance(value, list | bool) and value:
            group.odd.add(("invalid_tin", str(value)))
        return None, None
    if kind in {"ssn", "itin"} or re.fullmatch("[0-9]{3}-[0-9]{2}-[0-9]{4}", text):
        group.odd.add(("personal_tin", ""))
        return None, None
    digits = re.sub(r"\.0*$", "", re.sub("[ -]", "", text))
    if not re.fullmatch("[0-9]+", digits) or re.fullmatch("9{9,}", digits):
        group.odd.add(("invalid_tin", str(value)))
        return None, None
    if kind not in {"ein", "npi"}:
        kind = "npi" if re.fullmatch("[12][0-9]{9}", digits) else "ein"
    return kind, digits.rjust(9, "0") if kind == "ein" else digits


def _join_lists(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a list that it has twice, the elements of both."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        twice = key in found and key in {"negotiated_rates", "negotiated_prices", "provider_references"}
        found[key] = _list(found[key]) + _list(value) if twice else value
    return found


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _one(value: Any) -> Any:
    return _one(value[0]) if isinstance(value, list) and len(value) == 1 else value


SEPARATING, HIDDEN = "\t\n\v\f\r\x85\u2028\u2029", "\u061c\u200b\u200e\u200f\u2060\ufeff\ufff9\ufffa\ufffb"


@remembered
def clean(text: str) -> str:
    """Return a text without its control characters, character by character."""
    found = ""
    for c in text:
        if unicodedata.category(c) == "Cc" and c not in SEPARATING:
            continue
        if c in HIDDEN or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u206f":
            continue
        found += "\n" if c in SEPARATING else c
    return re.sub("\n+", " ", found)


def cut(text: str | None, longest: int) -> str | None:
    return text if text is None or len(text) <= longest else text[: longest - 1] + "…"


@remembered
def _word(value: str) -> str | None:
    text = clean(value).strip()
    return None if text.lower() in {"", "nan", "none", "null", "n/a", "#n/a", "<na>"} else text


def _text(value: Any) -> str | None:
    value = _one(value)
    if isinstance(value, str):
        return _word(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    return _number_text(Decimal(value))


def _number_text(number: Decimal) -> str:
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _upper(value: Any) -> str | None:
    text = _text(value)
    return text.upper() if text else None


def _lower(value: Any) -> str | None:
    text = _text(value)
    return text.lower() if text else None


def _spelling(value: Any) -> str | None:
    value = _one(value)
    text = str(value) if isinstance(value, Decimal) else None
    return text if text and re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text) else _text(value)


def _group_id(value: Any, exact: set[str]) -> str | None:
    spelling = _spelling(value)
    if spelling in exact:
        return spelling
    text = _text(value)
    if text and isinstance(value, str):
        if re.fullmatch(r"-?(0|[1-9][0-9]*)\.[0-9]+", text):
            text = _number_text(Decimal(text))
        elif clean(value.strip()) != value.strip():
            return f"{text[: 200 - 33]}#{hashlib.md5(value.strip().encode()).hexdigest()}"
    if text and len(text) > 200:
        return f"{text[: 200 - 33]}#{hashlib.md5(text.encode()).hexdigest()}"
    return text


def _decimal(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent of twenty digits
        return text


def _rate(value: Any) -> float | None:
    value = _one(value)
    if isinstance(value, bool) or value is None or isinstance(value, (list, dict)):
        return None
    text = str(value).strip()
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    number = float(text)
    return abs(number) if 0 <= number < float("inf") else None


def _date(value: Any) -> date | None:
    return _date_of(_text(value) or "")


@remembered
def _date_of(text: str) -> date | None:
    for pattern, order in (
        (r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(\D.*)?", (1, 2, 3)),
        (r"(\d{4})(\d\d)(\d\d)(\D.*)?", (1, 2, 3)),
        (r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})(\D.*)?", (3, 1, 2)),
    ):
        match = re.fullmatch(pattern, text, re.DOTALL | re.ASCII)
        if match:
            try:
                return date(*(int(match[n]) for n in order))
            except ValueError:
                return None
    return None


def _month(value: Any) -> str:
    found = _date(value)
    assert found, value
    return found.isoformat()[:7]


def _expiration(value: Any) -> str | None:
    found = _date(value)
    return None if found in {None, date(9999, 12, 31)} else str(found)


def _places(value: Any) -> list[str]:
    return list(_places_in(tuple((_text(one) or "").upper() for one in _list(value))))


@remembered
def _places_in(texts: tuple[str, ...]) -> list[str]:
    found = set()
    for text in texts:
        for token in re.split(r"[\s,;|'\"\[\]]+", text):
            if token not in {"N", "U", "L"} and _text(token):
                number = re.sub(r"\.0+$", "", token)
                found.add(number.rjust(2, "0") if re.fullmatch("[0-9]+", number) else token)
    return sorted(found)


def _modifiers(value: Any) -> str:
    return _modifiers_in(tuple((_text(one) or "").upper() for one in _list(value)))


@remembered
def _modifiers_in(texts: tuple[str, ...]) -> str:
    found = {each for text in texts for each in re.split(r"[\s,;|]+", text)}
    return ",".join(sorted({re.sub(r"^([0-9]{2})\.0+$", r"\1", each) for each in found if _text(each)}))
