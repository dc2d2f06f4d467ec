"""The addresses of the site."""

from django.urls import include, path

from core.api import docs_page, openapi, site
from core.pages.site_map import PAGES

urlpatterns = [
    *(path(page.path, page.view, name=page.name) for page in PAGES),
    path("api/docs", docs_page.show, name="api"),
    path("api/v1/openapi.json", openapi.show, name="api-document"),
    path("api/v1/", include((site.url_patterns(), "api"))),
]

handler404 = "core.pages.serving.errors.not_found"
handler500 = "core.pages.serving.errors.failed"
