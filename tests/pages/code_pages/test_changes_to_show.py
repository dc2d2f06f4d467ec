"""Where a code's page leads to changes, and what an empty page of changes says."""

from pathlib import Path

from tests.queries.one_market import store_of_months
from tests.site import Visitor, serving, text_of

QUERY = {"state": "GA", "code_type": "CPT"}


def test_a_code_without_an_earlier_file_has_no_tab_of_changes(tmp_path: Path) -> None:
    """One payer has two months of one code; of the other code, another payer has one month."""
    other = {"reporting_entity_name": "Payer B", "code": "70450"}
    db = store_of_months(tmp_path, m2025_07=[{}], m2025_08=[{"negotiated_rate": 11.0}, other])
    with serving(db.root):
        tabs = {code: Visitor().get("/rates/", {**QUERY, "code": code}).content.decode() for code in ("99213", "70450")}
        for code, page in tabs.items():
            of_code = page.split('aria-label="This code"')[1].split("</nav>")[0]
            assert (">Changes</a>" in of_code, ">Trend</a>" in of_code) == (code == "99213",) * 2


def test_an_empty_page_names_the_payer_and_not_its_key(tmp_path: Path) -> None:
    db = store_of_months(tmp_path, m2025_07=[{}], m2025_08=[{}])
    months = {"year_month": "2025-08", "from": "2025-07"}
    with serving(db.root):
        for page, more in (("/changes/", months), ("/rates/", {}), ("/payers/", {})):
            query = {**QUERY, **more, "code": "99213", "payer": "payer_a", "pos": "24"}
            shown = text_of(Visitor().get(page, query))
            assert "payer PAYER_A; place of service 24" in shown, page
            assert "payer payer_a;" not in shown
