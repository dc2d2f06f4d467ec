"""Files in which every text is one that nobody should publish."""

from typing import Any

TEXTS = (
    "=line\r\nbreak\ttab nul\x00 esc\x1b[31m\x9b",
    "-quo\"te's ../sla/sh\\ %2F% &x=1;#y?",
    "<script>alert(1)</script> {{ 7 }}",
    "＝bidi\u202eabc\u2066\u2028\ufeff 😀👩\u200d🚀",
    "a" * 39 + "é",
)
"""Line breaks, NUL, quotes, slashes, percent signs, marks that reverse text, formulas, HTML, and the longest code."""

LONG = "long \x00" * 10_000
"""A text of 60,000 characters."""


def hostile_file(month: str, payer: str = "Payer\r\n  9 rows read: 9 added\u202e <b>&\x00") -> dict[str, Any]:
    """Return an in-network file with rates of two hostile groups for each hostile code."""
    return {
        "reporting_entity_name": payer,
        "reporting_entity_type": "type\n" * 1000,
        "last_updated_on": f"{month}-01",
        "version": "1.\x000",
        "plan_name": "plan\r\nname",
        "plan_id": "12\x00",
        "provider_references": [
            {
                "provider_group_id": text,
                "network_name": [f"net {text}", f"long {text}" * 1000],
                "provider_groups": [
                    {
                        "npi": [1912951245 + number],
                        "tin": {"type": "ein", "value": "12" * (2 * number + 1), "business_name": f"org {text}"},
                    }
                ],
            }
            for number, text in enumerate(TEXTS)
        ],
        "in_network": [
            _item(number, text) for number, text in enumerate((*TEXTS, "9" * 41, LONG))
        ],
    }  # fmt: skip


def _item(number: int, text: str) -> dict[str, Any]:
    other = TEXTS[(number + 1) % len(TEXTS)]
    return {
        "negotiation_arrangement": text[:40],
        "billing_code_type": f"T{text}"[:20],
        "billing_code_type_version": LONG if number % 5 == 0 else text,
        "billing_code": text,
        "name": f"name {text}",
        "description": f"{text} {LONG}" if number % 3 == 0 else f"words {text}",
        "severity_of_illness": text[:40],
        "bundled_codes": [{"billing_code_type": "CPT", "billing_code": text, "description": LONG}],
        "negotiated_rates": [
            {
                "provider_references": [TEXTS[number % len(TEXTS)], other],
                "negotiated_prices": [
                    {
                        "negotiated_type": kind[:40],
                        "negotiated_rate": 100.5 + number,
                        "billing_class": text[:40],
                        "setting": other[:40],
                        "service_code": [text[:20], "11"],
                        "billing_code_modifier": [text[:40], "26"],
                        "expiration_date": text,
                        "additional_information": LONG if number % 4 == 0 else text,
                    }
                    for kind in ("negotiated", "percentage", text)
                ],
            }
        ],
    }
