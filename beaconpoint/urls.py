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
    path("", home.home, name="home"),
    path("suggest/", home.suggest, name="suggest"),
    path("codes/", codes.codes, name="codes"),
    path("rates/", rates.show, name="rates"),
    path("npi/<str:npi>/", providers.npi, name="npi"),
    path("tin/<str:tin>/", providers.tin, name="tin"),
    path("medicare/", medicare.show, name="medicare"),
    path("organizations/", organizations.show, name="organizations"),
    path("payers/", payers.show, name="payers"),
    path("changes/", changes.show, name="changes"),
    path("quality/", quality.show, name="quality"),
    path("quality/<str:check>/", quality.behind, name="quality_rows"),
    path("dictionary/", dictionary.show, name="dictionary"),
    path("method/", method.show, name="method"),
    path("method/<path:name>/", method.show, name="method_page"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/docs", docs_page.show, name="api"),
    path("api/v1/openapi.json", openapi.show, name="api-document"),
    path("api/v1/", include((site.patterns(), "api"))),
]

handler404 = "core.pages.errors.not_found"
handler500 = "core.pages.errors.failed"
