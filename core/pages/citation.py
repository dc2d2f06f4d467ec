"""How a page is cited and returned to: its address, that with this data, a sentence, and a feed."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from core.fields.texts.text import is_digits
from core.pages.formats import end_sentence, write_day
from core.pages.forms.query_form import MAX_GENERATION
from core.store.generations.manifest import Manifest

THIS_SITE = "https://this-site.invalid"
"""Stands for the address of the site in a page that is kept: visitors may know the site by several names."""


@dataclass(frozen=True)
class Citation:
    """What a visitor copies: an address that shows the newest figures, one with this data, and a sentence."""

    address: str
    pinned: str
    sentence: str
    feed: str


def cite(
    subject: str, data: str, path: str, pinned_path: str, manifest: Manifest, version: str, feed: str = ""
) -> Citation:
    """Return how to cite a page about a `subject`. `data` says which months its figures are of, if they are of some.

    The version of the program is part of it: when the method changes, the same data have other figures.
    """
    of_data = f"Data {'from' if data.startswith('file') else 'of'} {data}, generation" if data else "Data generation"
    pinned = THIS_SITE + pinned_path
    return Citation(
        address=THIS_SITE + path,
        pinned=pinned,
        sentence=f"BeaconPoint Health. {end_sentence(subject)} {of_data} {manifest.generation} of "
        f"{write_day(manifest.created_at)}, as published by payers under the Transparency in Coverage rule; computed "
        f"by program version {version}. {pinned}",
        feed=feed,
    )


def name_site(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Write the address by which the visitor knows the site into a page."""
    # Pages that are made when the site starts are nobody's yet: their request has no host.
    is_asked_for = "HTTP_HOST" in request.META or "SERVER_NAME" in request.META
    if is_asked_for and isinstance(response, HttpResponse) and THIS_SITE.encode() in response.content:
        response.content = response.content.replace(THIS_SITE.encode(), request.build_absolute_uri("/")[:-1].encode())
    return response


def asked_generation(request: HttpRequest) -> int | None:
    """Return the generation that an address names; None for the newest, or if the form will refuse what it says."""
    text = request.GET.get("generation", "")
    return (int(text) or None) if is_digits(text) and len(text) <= len(str(MAX_GENERATION)) else None
