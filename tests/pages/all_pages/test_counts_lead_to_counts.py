"""A number that is a link leads to a page that says the same number."""

import re
from html import unescape

import pytest
from django.test import Client

from core.store.connection import Snapshot
from tests.site import csv_rows, text_of

_LINK = re.compile(r'<a [^>]*href="(/[^"#]*)[^"]*"[^>]*>(.*?)</a>(?:\s*<small[^>]*>\(([0-9,]+) )?', re.DOTALL)
_COUNT = re.compile(r"(?:All )?([0-9]{1,3}(?:,[0-9]{3})*)(?: [a-z ]+)?")


def count_links(page: str) -> list[tuple[str, str]]:
    """Return the address and the number of each link whose text is a count, or has one in brackets behind it."""
    found = []
    for address, label, behind in _LINK.findall(page.partition("<main")[2].partition("</main>")[0]):
        text = " ".join(re.sub("<[^>]+>", " ", label).split())
        number = behind or (match[1] if (match := _COUNT.fullmatch(text)) else "")
        if number:
            found.append((unescape(address), number))
    return found


@pytest.mark.parametrize(
    "address",
    ["/", "/quality/", "/payers/", "/rates/?code=99213", "/rates/?code=99213&state=TX", "/medicare/?code=99213"],
)
def test_a_count_leads_to_its_count(site: Client, demo: Snapshot, address: str) -> None:
    for target, number in dict.fromkeys(count_links(site.get(address).content.decode())):
        shown = text_of(site.get(target))
        assert re.search(rf"(?<![0-9,.]){number}(?![0-9,.%])", shown), (address, target, number)


def test_families_and_groups_lead_to_their_counts(site: Client, demo: Snapshot) -> None:
    ((npi,),) = demo.rows("SELECT min(npi) FROM xref_tin_npi")
    page = site.get(f"/npi/{npi}/").content.decode()
    families = re.findall(
        r'<a href="([^"#]*family=[^"#]*)#rows">[^<]*</a>\s*</th>\s*<td[^>]*>([0-9]+)</td>\s*<td[^>]*>([0-9]+)</td>',
        page,
    )
    assert len(families) > 3
    for address, codes, rates in families:
        rows = csv_rows(site.get(unescape(address) + "&format=csv"))
        assert len({row["code"] for row in rows}) == int(codes)
        assert sum(int(row["rates"]) for row in rows) == int(rates)
    # A row of the table leads to its rates, and to those of the market.
    lines = re.findall(
        r'<th scope="row"[^>]*>\s*<a href="(/rates/[^"]*)">.*?data-label="Rates"[^>]*>([0-9]+)</td>.*?'
        r'<a href="(/rates/[^"]*)" title="([0-9,]+) rates">',
        page,
        re.DOTALL,
    )
    assert len(lines) == 50
    for address, own, market, others in lines[:6]:
        for target, number in ((address, own), (market, others)):
            assert re.search(rf"\b{number} rates? for", text_of(site.get(unescape(target)))), (target, number)


def test_changes_are_offered_where_there_is_an_earlier_month(site: Client, demo: Snapshot) -> None:
    months = dict(demo.rows("SELECT payer_slug, count(DISTINCT year_month) FROM dim_batch GROUP BY ALL"))
    for payer, number in months.items():
        page = site.get("/payers/", {"payer": payer}).content.decode()
        assert ("Changes from month to month" in page) == (number > 1), payer
