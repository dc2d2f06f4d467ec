"""The demo's market that tests of pages ask about."""

from typing import Any

from core.queries.market.market import Market

MARKET = Market("GA", "2025-08", "CPT", "99213")
MONTH: dict[str, Any] = {"state": "GA", "year_month": "2025-08"}
QUERY: dict[str, Any] = {**MONTH, "code_type": "CPT", "code": "99213"}
PEACH, PIEDMONT = "example_peach_health_plan", "example_piedmont_mutual_inc"

PAGES = (
    "/", "/codes/", "/codes/?q=knee", "/rates/", "/rates/?code=99213", "/medicare/", "/medicare/?code=70450",
    "/organizations/", "/organizations/?code=99214", "/places/?code=99214", "/specialties/?code=99214",
    "/payers/", "/payers/?code=70450",
    "/payers/?codes=99213,450,XYZ", "/payers/?payer=example_peach_health_plan", "/changes/",
    "/changes/?code=99213", "/changes/?payer=example_piedmont_mutual_inc", "/compensation/",
    "/compensation/?code=70450", "/rule/", "/rule/?payer=example_peach_health_plan",
)  # fmt: skip
