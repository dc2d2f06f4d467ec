"""The tables in Jinja2 see what the page sees, and a payer's text is text in them."""

from types import SimpleNamespace
from typing import Any

from django.template import Context, Template

PARTY = SimpleNamespace(
    tin_type="ein", tin_value="123456789", business_name="<script>A & B", name_confidence="high", specialty=None,
    is_person=False, is_person_as_organization=False,
)  # fmt: skip
ROW = SimpleNamespace(
    leading=PARTY, organizations=1, payers=["<b>Payer"], npis=2, rank=1, groups=1, share=0.5, rates=3, mean=1.0,
    p10=1.0, p50=1234.5, p90=None, lowest=1.0, highest=1234.5, prices=2, difference=-0.5,
    oldest_month="2025-08", newest_month="2025-08",
)  # fmt: skip


def organizations(**values: Any) -> str:
    page = Template('{% table "organizations" %}')
    return page.render(
        Context({"path": "/organizations/", "parameters": {"code": "99213"}, "unlikely_from": None, **values})
    )


def test_a_table_escapes_what_a_payer_wrote() -> None:
    html = organizations(rows=[ROW])
    assert "&lt;script&gt;A &amp; B" in html
    assert "<script>" not in html
    assert "<b>" not in html


def test_a_table_has_the_filters_and_links_of_the_other_templates() -> None:
    html = organizations(rows=[ROW], sort="-p50")
    assert "12-3456789" in html
    assert "$1,234.50" in html
    assert "50% below" in html
    assert 'href="/tin/123456789/"' in html
    assert 'href="/organizations/?code=99213&amp;sort=p50#rows"' in html
    assert "Price ↓" in html


def test_a_table_leaves_no_blank_lines() -> None:
    assert not [line for line in organizations(rows=[ROW]).splitlines()[:-1] if not line.strip()]


def test_columns_without_a_figure_are_left_out() -> None:
    page = Template('{% table "provider_parts" %}')
    shares = SimpleNamespace(
        family="hospital departments", codes=451, rates=451, compared=0, p25=None, p50=None, p75=None, percentile=None
    )
    dollars = SimpleNamespace(family="visits", codes=2, rates=5, compared=5, p25=1.1, p50=1.2, p75=1.3, percentile=0.63)
    context = {"path": "/npi/1/", "parameters": {}, "of": "families", "knows_market": True, "has_percentiles": True}
    alone = page.render(Context({**context, "parts": [shares], "measured": SimpleNamespace(percent="% of Medicare")}))
    assert "451" in alone
    assert not any(one in alone for one in ("% of Medicare", "Middle half", "Percentile", "–"))
    both = page.render(
        Context({**context, "parts": [shares, dollars], "measured": SimpleNamespace(percent="% of Medicare")})
    )
    assert all(one in both for one in ("% of Medicare", "Middle half", "Percentile", "120%", "–"))
    few = page.render(
        Context(
            {
                **context,
                "has_percentiles": False,
                "parts": [dollars],
                "measured": SimpleNamespace(percent="% of Medicare"),
            }
        )
    )
    assert "Percentile" not in few


def test_a_person_is_not_described_as_a_hospital() -> None:
    """The register may have a person with the taxonomy of a facility: both are said, and neither is made up."""
    person = {**vars(PARTY), "is_person": True}
    surgeon = SimpleNamespace(**{**person, "specialty": "Orthopedic surgery"})
    hospital = SimpleNamespace(**{**person, "specialty": "Hospital", "is_person_as_organization": True})
    assert "Orthopedic surgery, a person" in organizations(rows=[SimpleNamespace(**{**vars(ROW), "leading": surgeon})])
    html = organizations(rows=[SimpleNamespace(**{**vars(ROW), "leading": hospital})])
    assert "registered as a person, with the taxonomy of: hospital" in html
    assert "Hospital, a person" not in html
