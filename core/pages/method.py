"""How each figure is computed, and the other documents of docs/."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from core.pages.shared import documents as manual
from core.pages.shared.error_pages import sorry

_DECISIONS = "decisions"
_RENAMED = {"normalisation": "normalization"}
"""Documents that had another name once: links to them still work."""


@require_safe
def show_document(request: HttpRequest, name: str = manual.FIRST) -> HttpResponseBase:
    """Show `/method/` and `/method/<document>/`; `/method/decisions/` lists the decisions."""
    if name in _RENAMED:
        return redirect(manual.address(_RENAMED[name]), permanent=True)
    if name in {manual.FIRST, manual.DICTIONARY} and request.path != manual.address(name):
        return redirect(manual.address(name))
    if name == _DECISIONS:
        decisions = manual.in_order(manual.names(), _DECISIONS)
        return render(request, "pages/method.html", {"title": "Decisions", "decisions": _linked(decisions)})
    found = manual.document(name)
    if found is None:
        known = ", ".join(one for one in manual.names() if "/" not in one)
        return sorry(request, 404, "Page not found", [("", f"There is no document {name!r}. Documents: {known}.")])
    others = [one for one in manual.in_order(manual.names(), "") if one.name != name]
    sections = [heading for heading in found.headings if heading.level == 2]
    context = {"title": found.title, "document": found, "sections": sections, "others": _linked(others)}
    return render(request, "pages/method.html", context)


def _linked(documents: list[manual.Document]) -> list[tuple[str, str]]:
    return [(manual.address(one.name), one.title) for one in documents]
