"""The addresses of the site."""

from django.conf import settings
from django.urls import include, path, re_path

from core.api import docs_page, openapi, site
from core.pages.serving.errors import not_found
from core.pages.site_map import PAGES

urlpatterns = [
    *(path(page.path, page.view, name=page.name) for page in PAGES),
    path("api/docs", docs_page.show, name="api"),
    path("api/docs/examples", docs_page.show_examples, name="api-examples"),
    path("api/v1/openapi.json", openapi.show, name="api-document"),
    path("api/v1/", include((site.url_patterns(), "api"))),
    # In development, Django has a page of its own for addresses that do not exist. Visitors are shown one page of them.
    *([re_path(r".*/$", not_found)] if settings.DEBUG else []),
]

handler404 = "core.pages.serving.errors.not_found"
handler500 = "core.pages.serving.errors.failed"
