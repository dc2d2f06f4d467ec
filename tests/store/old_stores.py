"""Stores that older versions of the program have written, see fixtures/README.md."""

import hashlib
import json
import tarfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from core.queries import rates
from core.queries.market.market import Market
from core.queries.parties import organizations
from core.store.connection import Snapshot
from core.store.generations.store import Store

FIXTURES = Path(__file__).parent / "fixtures"
OLD_FORMAT = 1
OLD_LAYOUTS = sorted(path.name.split(".")[0].removeprefix("format-1-") for path in FIXTURES.glob("format-1-*.tar.xz"))
"""The layouts that there were."""
MARKET = Market("GA", "2025-08", "CPT", "99213")

NEW_FIELDS = {
    "billing_code_type_version", "group_area", "name_source", "name_confidence", "organization_id", "system_id",
    "system_name", "batch_id", "plans",
    "year_month", "oldest_month", "newest_month", "evidence", "medicare_services", "medicare_beneficiaries",
    "specialty", "specialty_share", "weighted_p50", "services", "prices", "price", "left_out",
}  # fmt: skip
"""Fields that rows of answers have got since."""


def unpacked(directory: Path, layout: str, grace: float = 0) -> Store:
    """Return a store of format 1 in a layout, unpacked below a directory."""
    with tarfile.open(FIXTURES / f"format-1-{layout}.tar.xz") as packed:
        # As an argument, the filter came with Python 3.11.4; Debian 12 has 3.11.2, which takes no notice of it.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(directory)
    return Store(directory / layout, grace=grace)


def old_answers() -> dict[str, Any]:
    """Return what the program that wrote the stores answered."""
    return _read_answers((FIXTURES / "format-1-answers.json").read_text())


def answers_of(db: Snapshot) -> dict[str, Any]:
    """Ask the questions that `old_answers` answers."""
    uids = [uid for (uid,) in db.rows("SELECT fact_uid FROM fact_rate ORDER BY 1")]
    found = {
        "facts": len(uids),
        "fact_uids_md5": hashlib.md5("\n".join(uids).encode(), usedforsecurity=False).hexdigest(),
        "codes": db.rows(
            "SELECT year_month, code_type, code, count(*), min(negotiated_rate), max(negotiated_rate) FROM fact_rate "
            "GROUP BY ALL ORDER BY ALL"
        ),
        "summaries": [_old_fields(row) for row in rates.summarize_rates(db, MARKET)],
        "organizations": [_old_fields(row) for row in organizations.list_organizations(db, MARKET, "p50", 5, 0)],
        "rates": [_old_fields(row) for row in rates.list_rates(db, MARKET, "rate", 5, 0)],
    }
    return _read_answers(json.dumps(found))


def _old_fields(row: Any) -> list[Any]:
    return [getattr(row, field.name) for field in fields(row) if field.name not in NEW_FIELDS]


def _read_answers(text: str) -> dict[str, Any]:
    """Return answers without the last digits of their fractions, in which versions of DuckDB differ."""
    answers: dict[str, Any] = json.loads(text, parse_float=lambda number: round(float(number), 9))
    # The last figure is the difference, which was from the market's median then, and is from the middle organization.
    # Of the five percentiles before it, only the median is still that of a few prices.
    answers["organizations"] = [[*row[:-6], row[-4]] for row in answers["organizations"]]
    return answers
