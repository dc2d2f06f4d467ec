"""What the pages of a code say comes on top of the fee in their headline."""

from django.test import Client

from tests.site import text_of

QUERY = {"state": "GA", "year_month": "2025-08", "code_type": "CPT"}


def test_the_page_of_a_scan_says_whose_fee_the_picture_is(site: Client) -> None:
    for page in ("/rates/", "/payers/", "/report/"):
        whole = text_of(site.get(page, {**QUERY, "code": "70450", "billing_class": "professional", "modifier": "none"}))
        assert "In a hospital, the picture itself is the hospital’s facility fee" in whole, page
        reading = text_of(site.get(page, {**QUERY, "code": "70450", "modifier": "26"}))
        assert "This pays for the reading alone: the picture itself is a second fee" in reading, page


def test_the_page_of_a_procedure_leads_to_its_companions(site: Client) -> None:
    page = site.get("/rates/", {**QUERY, "code": "45378"}).content.decode()
    assert "comes on top" in page
    assert '<a href="/rates/?state=GA&amp;code=00811">00811</a>' in page
    assert "Most plans must pay a screening in full in their network" in page


def test_a_visit_has_no_such_line(site: Client) -> None:
    assert "comes on top" not in text_of(site.get("/rates/", {**QUERY, "code": "99213"}))
