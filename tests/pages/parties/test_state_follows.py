"""A link to a provider leads to its rates in the state and month of the page: it may have rates in several."""

import re

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/rates/", "/organizations/"])
@pytest.mark.parametrize("month", ["", "2025-07"])
def test_links_to_providers_keep_state_and_month(site: Client, path: str, month: str) -> None:
    of_month = f"&year_month={month}" if month else ""
    page = site.get(f"{path}?state=GA{of_month}&code_type=CPT&code=99213").content.decode()
    links = re.findall(r'href="(/(?:tin|npi)/[^"]+)"', page)
    assert links
    assert {link.partition("?")[2] for link in links} == {f"state=GA{of_month.replace('&', '&amp;')}"}
