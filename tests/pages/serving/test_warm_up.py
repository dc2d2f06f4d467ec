"""What a server does before its first visitor comes."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from core.pages.code_pages.rates import show_rates
from core.pages.home import show_home
from core.pages.serving.warm_up import warm_up
from tests.site import serving, text_of


@pytest.mark.usefixtures("site")
def test_the_first_page_a_search_and_a_page_of_rates_are_made() -> None:
    made = []

    def noting(view: Any) -> Any:
        def noted(request: Any) -> Any:
            response = view(request)
            made.append((request.path, request.GET.get("year_month"), response.status_code))
            return response

        return noted

    warm_up(home=noting(show_home), rates=noting(show_rates))
    assert made == [("/", None, 200), ("/", None, 200), ("/rates/", "2025-08", 200)]


@pytest.mark.usefixtures("site")
def test_the_page_that_is_made_is_that_of_its_address_alone() -> None:
    warm_up()
    assert "Choose a code" in text_of(Client().get("/rates/"))


def test_a_store_that_is_empty_or_broken_keeps_no_server_from_starting(tmp_path: Path) -> None:
    with serving(tmp_path / "empty"):
        warm_up()
    (tmp_path / "manifest.json").write_text("{")
    with serving(tmp_path):
        warm_up()
