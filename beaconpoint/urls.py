"""The addresses of the site."""

from django.urls import include, path

from core.api import docs_page, openapi, site
from core.pages import (
    changes,
    codes,
    dictionary,
    health,
    home,
    medicare,
    method,
    organizations,
    payers,
    providers,
    quality,
    rates,
)  # fmt: skip

urlpatterns = [
    path("", home.show_home, name="home"),
    path("suggest/", home.suggest, name="suggest"),
    path("codes/", codes.show_codes, name="codes"),
    path("rates/", rates.show_rates, name="rates"),
    path("npi/<str:npi>/", providers.show_npi, name="npi"),
    path("tin/<str:tin>/", providers.show_tin, name="tin"),
    path("medicare/", medicare.show_medicare, name="medicare"),
    path("organizations/", organizations.show_organizations, name="organizations"),
    path("payers/", payers.show_payers, name="payers"),
    path("changes/", changes.show_changes, name="changes"),
    path("quality/", quality.show_quality, name="quality"),
    path("quality/<str:check>/", quality.show_failing_rows, name="quality_rows"),
    path("dictionary/", dictionary.show_dictionary, name="dictionary"),
    path("method/", method.show_document, name="method"),
    path("method/<path:name>/", method.show_document, name="method_page"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/docs", docs_page.show, name="api"),
    path("api/v1/openapi.json", openapi.show, name="api-document"),
    path("api/v1/", include((site.url_patterns(), "api"))),
]

handler404 = "core.pages.errors.not_found"
handler500 = "core.pages.errors.failed"
