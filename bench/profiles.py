"""Print what a store knows of who is paid and where, how likely its rates are performed, and what that does to medians.

    python -m bench.profiles STORE             some 30 seconds for 500,000 rates
    python -m bench.profiles STORE --codes 20  the effect on the medians of more codes

Last come the checks on the store's own data: distances in SQL against those of a formula that is not the haversine, and
whether any table that rates are joined with has a second row for the same thing, which would count a rate twice.
"""

import argparse
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.queries.classes.rate_classes import choose_class
from core.queries.code_answer import spread_by_terms
from core.queries.coverage import list_coverage
from core.queries.latest import with_latest
from core.queries.likely_rates import EvidenceLevel, count_evidence, find_evidence_switch, weigh_rates
from core.queries.market.distance import EARTH_MILES, miles_sql
from core.queries.market.market import Market
from core.queries.market.market_rates import market_cache
from core.queries.payers.loaded_payers import newest_of_each_payer
from core.queries.rules.evidence import LIKELY
from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.store import Store
from core.store.reader import Reader
from core.store.views import NAMED_TIN

PAIRS = 100_000
"""How many pairs of ZIP codes the distances are compared for."""

_ONE_ROW_EACH = {
    "provider_profile": "npi",
    "dim_zip": "zip",
    NAMED_TIN: "tin_type, tin_value",
    "dim_group_area": "year_month, payer_slug, pg_uid",
    "surgical_center_group": "year_month, payer_slug, pg_uid",
    "group_specialty": "year_month, payer_slug, pg_uid, specialty",
    "specialty_use": "specialty, code",
    "code_use": "code",
    "utilization": "npi, code",
}
"""What each row of a table stands for that rates or their groups are joined with."""


def main() -> None:
    """Print the figures of the store that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, help="the data directory")
    parser.add_argument("--codes", type=int, default=10, help="codes whose medians are shown (default: 10)")
    options = parser.parse_args()
    limits = QueryLimits(seconds=600, temp_directory=str(options.store / "tmp"))
    db = Reader(Store(options.store.absolute()), limits, MACROS).snapshot()
    if db is None:
        sys.exit(f"{options.store}: nothing is loaded there")
    print_coverage(db)
    print_evidence(db)
    print_medians(db, options.codes)
    print_checks(db)


def print_coverage(db: Snapshot) -> None:
    """Print the share of NPIs with a place and a specialty, and of tax IDs with a name, an organization, a system."""
    npis = "dim_npi LEFT JOIN provider_profile USING (npi)"
    _print_shares(db, "NPIs", npis, ["county_fips", "cbsa", "locality", "latitude", "specialty"])
    _print_shares(db, "Tax IDs", NAMED_TIN, ["business_name", "organization_name", "system_name"])
    for kind in ("ein", "npi"):
        _print_shares(
            db, f"Tax IDs that are an {kind.upper()}", f"{NAMED_TIN} WHERE tin_type = '{kind}'", ["business_name"]
        )
    sql = f"SELECT name_source, name_confidence, count(*) FROM {NAMED_TIN} GROUP BY ALL ORDER BY 3 DESC"
    for source, confidence, tins in db.rows(sql):
        print(f"  name from {source or 'nowhere'} ({confidence or 'none'}): {tins:,}")


def _print_shares(db: Snapshot, title: str, rows: str, columns: list[str]) -> None:
    ((total, *known),) = db.rows(f"SELECT count(*), {', '.join(f'count({name})' for name in columns)} FROM {rows}")
    shares = ", ".join(f"{name} {n / max(total, 1):.1%}" for name, n in zip(columns, known, strict=True))
    print(f"{title}: {total:,}; {shares}")


def print_evidence(db: Snapshot) -> None:
    """Print the share of rates and dollars at each level of evidence, by payer, in its newest month."""
    print("\nEvidence by payer: share of rates, and of dollars")
    for one in newest_of_each_payer(list_coverage(db)):
        newest = one.newest
        market = Market(newest.state, newest.year_month, payer=newest.payer_slug)
        levels = count_evidence(db, market)
        print(f"{newest.reporting_entity_name}, {newest.state}, {newest.year_month}: {newest.rates:,} rates")
        _print_levels(levels)


def _print_levels(levels: list[EvidenceLevel]) -> None:
    total, dollars = sum(one.rates for one in levels), sum(one.dollars for one in levels)
    for one in levels:
        print(f"  {one.evidence:<10}{one.rates:>10,}{one.rates / total:>8.1%}{one.dollars / (dollars or 1):>8.1%}")


def print_medians(db: Snapshot, number: int) -> None:
    """Print the medians of the codes with most rates: of all rates, of those likely performed, and by services."""
    print(f"\n{'':<12}{'rates':>8}{'likely':>8}{'median':>12}{'likely':>12}{'by services':>12}  class")
    for state, code_type, code in db.rows(
        f"""SELECT state, code_type, code FROM fact_rate JOIN code_use USING (code) WHERE code_type IN ('CPT', 'HCPCS')
            GROUP BY ALL ORDER BY count(*) DESC, code LIMIT {number:d}"""
    ):
        market = choose_class(db, with_latest(db, Market(state, "", code_type, code))).market
        with market_cache(db, market) as cached:
            switch = find_evidence_switch(cached, market)
            every = _median(cached, market)
        likely = replace(market, evidence=LIKELY)
        with market_cache(db, likely) as cached:
            of_likely = _median(cached, likely)
        weighed = [one for (kind, *_), one in weigh_rates(db, market).items() if kind == "dollars"]
        by_services = ", ".join(f"{one.weighted_p50:,.2f}" for one in weighed if one.weighted_p50 is not None)
        counts = (switch.rates, switch.likely_rates) if switch else (0, 0)
        print(
            f"{state} {code:<9}{counts[0]:>8,}{counts[1]:>8,}{every:>12}{of_likely:>12}{by_services:>12}  "
            f"{market.billing_class or ''} {market.modifier or ''} {market.care_setting or ''}".rstrip()
        )


def _median(db: Snapshot, market: Market) -> str:
    """Return the median of all payers in dollars, in words."""
    of_all = [one for one in spread_by_terms(db, market) if one.payer_slug is None]
    return f"{of_all[0].p50:,.2f}" if of_all else "-"


def print_checks(db: Snapshot) -> None:
    """Print how far distances are from those of another formula, and what has two rows that should have one."""
    points: list[tuple[Any, ...]] = db.rows(
        f"""SELECT a.latitude, a.longitude, b.latitude, b.longitude,
                   {miles_sql("a.latitude", "a.longitude", "b.latitude", "b.longitude")}
            FROM (SELECT *, row_number() OVER (ORDER BY hash(zip)) AS n FROM dim_zip WHERE latitude IS NOT NULL) a
            JOIN (SELECT *, row_number() OVER (ORDER BY hash(zip || 'b')) AS n
                  FROM dim_zip, range(4) WHERE latitude IS NOT NULL) b USING (n)
            LIMIT {PAIRS:d}"""
    )
    off = max((abs(miles - _miles_by_vectors(*ends)) for *ends, miles in points), default=0.0)
    print(f"\nDistances of {len(points):,} pairs of ZIP codes: at most {off:.9f} miles from those by vectors")
    for table, key in _ONE_ROW_EACH.items():
        ((rows, distinct),) = db.rows(f"SELECT count(*), count(DISTINCT ({key})) FROM {table}")
        print(f"{table}: {rows:,} rows, {rows - distinct:,} of them twice")


def _miles_by_vectors(north: float, east: float, other_north: float, other_east: float) -> float:
    """Return the distance from the angle between two vectors."""
    a, b = _vector(north, east), _vector(other_north, other_east)
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH_MILES * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))


def _vector(north: float, east: float) -> tuple[float, float, float]:
    north, east = math.radians(north), math.radians(east)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


if __name__ == "__main__":
    main()
