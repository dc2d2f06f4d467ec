"""Hypothesis strategies for in-network files with every shape that the rules cover."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

NPIS = ["1912951245", "1003027533", "1234567893", "2790708186"]

HUGE = "1e99999999999999999999"
"""A number as a file may have it; `contents` takes the quotes away."""

words = st.sampled_from(["", " ", "N/A", "Knee", 'é | \\ " \u2028', "Überweisung 健康", "0", "a\tb\nc"])
spaces = st.sampled_from(["", " ", "  "])


def scalar_or_list(elements: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw a list, or a scalar or null where a list belongs."""
    lists = st.lists(elements, min_size=1, max_size=3)
    return st.one_of(lists, lists, lists, st.just([]), elements, st.none())


@st.composite
def maybe(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Draw an object with most of the fields, in any order: one or two may be missing."""
    missing = draw(st.one_of(st.just([]), st.lists(st.sampled_from(list(fields)), max_size=2)))
    keys = [key for key in draw(st.permutations(list(fields))) if key not in missing]
    return {key: draw(fields[key]) for key in keys}


group_ids = st.sampled_from(
    [
        1,
        2,
        "1",
        "2.50",
        2.5,
        "nan",
        ["1"],
        690.6447,
        "690.64470",
        "690.6447",
        "A-1",
        0,
        -3,
        "007",
        12345678901234567890123,
        HUGE,
        1e3,
        "1000",
    ]
)
npis = st.sampled_from(
    [
        *NPIS,
        *map(int, NPIS),
        "1912951245.0",
        "0000000000",
        "nan",
        HUGE,
        0,
        "0",
        "",
        None,
        123456789,
        "x",
        3234567890,
        1912951245.0,
        True,
        " 1912951245 ",
    ]
)
tins = st.one_of(
    st.none(),
    st.sampled_from(["12-3456789", 123456789, "1912951245"]),
    maybe(
        {
            "type": st.sampled_from(["ein", "EIN", "npi", "ssn", None, ["ein"], {}]),
            "value": st.sampled_from(
                [
                    *("12-3456789", "3456789", 3456789, "1912951245", "", None, "XX", 411952112.0, "123456789.0"),
                    *("0", 0, "000000000", "999999999", "123-45-6789", "N/A", ["12-3456789"], ["1", "2"]),
                ]
            ),
            "business_name": words,
        }
    ),
)
provider_group = st.one_of(
    maybe({"npi": scalar_or_list(npis), "tin": tins}),
    maybe({"NPI": scalar_or_list(npis), "tin": tins}),
)
rates = st.one_of(
    st.floats(0, 1e6).map(lambda number: round(number, 2)),
    st.sampled_from([1, 2, 2.0, 100.5]),
    st.sampled_from([1, 40.5, "12"]),
    st.sampled_from(
        [0, 0.0, -0.0, 12, "12.50", " 7 ", "1e2", 1.5e-7, 1e17, -1, -0.01, None, "", "N/A", "NaN", "1,200.00"]
    ),
    st.sampled_from([True, [], {}, 10**400, "1e999", HUGE, float("nan"), 33.33333333333333, 123456.789012345678]),
)
price = maybe(
    {
        "negotiated_type": st.sampled_from(["negotiated", " Percentage ", "per diem", "fee schedule", None, "", 7]),
        "negotiated_rate": rates,
        "expiration_date": st.sampled_from(
            [
                "9999-12-31",
                "2025-12-31",
                "2025-12-31T00:00:00Z",
                "12/31/2025",
                "20251231",
                "soon",
                "",
                None,
                "2025-02-30",
                20251231,
            ]
        ),
        "billing_class": st.sampled_from(["professional", "Institutional", "both", None]),
        "setting": st.sampled_from(["inpatient", "OUTPATIENT", None]),
        "service_code": scalar_or_list(
            st.sampled_from(
                ["11", "1", 2, 11, "CSTM-00", "cstm-00", None, "", "null", "n", "u", "l", "11, 22", "['11','22']", 22.0]
            )
        ),
        "billing_code_modifier": scalar_or_list(st.sampled_from(["26", 26, "tc", "TC, 26", "", None, "null"])),
        "additional_information": words,
        "other": st.sampled_from([None, 7, {"negotiated_rate": 1}, [{"negotiated_rate": 2}]]),
    }
)
no_object: st.SearchStrategy[Any] = st.sampled_from([None, 7, "x", []])
rate = maybe(
    {
        "negotiated_prices": st.one_of(
            st.lists(price, min_size=1, max_size=3),
            st.lists(st.one_of(price, price, no_object), min_size=2, max_size=4),
            price,
            st.none(),
        ),
        "provider_references": scalar_or_list(group_ids),
        "provider_groups": st.one_of(st.none(), st.lists(provider_group, max_size=2)),
    }
)
contained = maybe(
    {"billing_code_type": st.sampled_from(["CPT", "RC", None]), "billing_code": st.sampled_from(["99213", "", None])}
)
item = maybe(
    {
        "negotiation_arrangement": st.sampled_from(["ffs", "FFS", "bundle", "capitation", None]),
        "name": words,
        "description": words,
        "billing_code_type": st.sampled_from(["CPT", "cpt ", "CPT", "RC", "REV", "MS-DRG", "HCPCS", "CPT", None, ""]),
        "billing_code": st.sampled_from(["99213", 99213, "99213.0", " g0439", "450", "0450", 45, "CSTM-00", None, ""]),
        "severity_of_illness": st.sampled_from(["2", 2, None, ""]),
        "billing_code_type_version": st.sampled_from(["2025", 2025, " 42.0 ", 42.0, None, "", ["2025"]]),
        "negotiated_rates": st.one_of(
            st.lists(rate, min_size=1, max_size=3),
            st.lists(st.one_of(rate, rate, no_object), max_size=2),
            rate,
            st.none(),
        ),
        "bundled_codes": st.lists(contained, max_size=2),
        "covered_services": st.none(),
        "unknown": st.recursive(
            words, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2)
        ),
    }
)
reference = maybe(
    {
        "provider_group_id": group_ids,
        "provider_groups": st.one_of(st.none(), st.lists(provider_group, max_size=3)),
        "network_name": scalar_or_list(words),
        "location": st.sampled_from(["https://example.com/1.json", None]),
    }
)


@st.composite
def roots(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the root object, its keys in any order."""
    fields = {
        "reporting_entity_name": draw(st.sampled_from(["Payer, Inc.", "Größte | Kasse \\", "A"])),
        "reporting_entity_type": "health insurance issuer",
        "last_updated_on": draw(
            st.sampled_from(["2025-08-01", "2025-06-23T00:00:00-05:00", "2/4/2026", "20250801", "2025/8/1"])
        ),
        "version": draw(st.sampled_from(["1.0.0", "2.0.0", 1])),
        "in_network": draw(st.lists(item, max_size=6)),
        "provider_references": draw(st.one_of(st.none(), st.lists(reference, max_size=5))),
        "other": draw(st.sampled_from([None, {"a": ["]", "}", '"']}, "\\", 1.5])),
    }
    keys = draw(st.permutations(list(fields)))
    return {key: fields[key] for key in keys}


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    """Draw a file's JSON bytes: compact, spaced, or indented, ASCII or UTF-8, with or without a byte order mark."""
    layout = draw(layouts)
    text = json.dumps(draw(roots()), ensure_ascii=draw(st.booleans()), default=_plain, **layout)
    mark = b"\xef\xbb\xbf" if draw(st.integers(0, 9)) == 0 else b""
    return mark + text.replace(f'"{HUGE}"', HUGE).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError


layouts: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{"separators": (",", ":")}, {}, {"indent": 1}, {"separators": (" ,\r\n", " : ")}]
)
plain_group = st.fixed_dictionaries(
    {
        "npi": st.lists(st.sampled_from(NPIS), min_size=1, max_size=3),
        "tin": st.fixed_dictionaries({"type": st.just("npi"), "value": st.sampled_from(NPIS)}),
    }
)


@st.composite
def written_out(draw: st.DrawFn) -> list[Any]:
    """Arrays of provider groups of which many objects come again: as they were, or with their keys turned round."""
    pool = draw(st.lists(plain_group | provider_group, min_size=1, max_size=5))
    chosen = draw(st.lists(st.lists(st.sampled_from(pool), min_size=1, max_size=6), min_size=1, max_size=5))
    return [[dict(reversed(each.items())) if draw(st.booleans()) else each for each in some] for some in chosen]


@st.composite
def written_out_contents(draw: st.DrawFn) -> bytes:
    """Draw a file's JSON bytes with inline groups at each rate; arrays recur, in one layout or another."""
    arrays = draw(written_out())
    named: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [{}, {}, {"provider_references": []}, {"provider_references": [1, "2.50"]}]
    )
    texts = []
    for number in range(draw(st.integers(1, 6))):
        rates = [
            {"provider_groups": draw(st.sampled_from(arrays)), "negotiated_prices": [draw(price)], **draw(named)}
            for _ in range(draw(st.integers(1, 3)))
        ]
        code = str(10_000 + number % 3)
        item = {"billing_code_type": "CPT", "billing_code": code, "negotiated_rates": rates}
        texts.append(json.dumps(item, **draw(layouts)))
    head = '{"reporting_entity_name":"A","last_updated_on":"2025-08-01","in_network":['
    return (head + ",".join(texts) + "]}").encode()
