"""One box for everything: what a text may be, a code, an NPI, a tax number, an organization or a payer."""

from dataclasses import dataclass
from typing import Annotated

from core.fields.tin import is_tin, remove_tin_marks
from core.queries import codes
from core.queries.rules.columns import described
from core.store.connection import Snapshot

LIMIT = 12
"""Of each kind of thing found, as many are named."""


@dataclass(frozen=True)
class Provider:
    """An organization by its tax ID, or a person or organization by its NPI."""

    by: Annotated[str, described("npi or tin.", "npi")]
    value: Annotated[str, described("The NPI or the tax ID.", "1234567893")]
    name: Annotated[str | None, described("Name of the provider, if it is known.", "DOE, JANE")]


@dataclass(frozen=True)
class SearchResults:
    """What a search finds. `corrected` is the corrected text, if the given one matches no code."""

    codes: list[codes.CodeTitle]
    codes_in_all: int
    providers: list[Provider]
    payers: list[tuple[str, str]]
    corrected: str | None

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        return not (self.codes or self.providers or self.payers)


def search_everything(db: Snapshot, text: str, limit: int = LIMIT) -> SearchResults:
    """What the text may be: codes by number or words (typing errors forgiven), providers and payers."""
    total, found = codes.search_codes(db, text, limit)
    numbers = _by_number(db, text)
    names = _by_name(db, text, limit) if not numbers else []
    payers = _payers(db, text, limit)
    corrected = None
    if not (found or numbers or names or payers):
        corrected = codes.correct_spelling(db, text)
        if corrected:
            total, found = codes.search_codes(db, corrected, limit)
    return SearchResults(found, total, numbers or names, payers, corrected)


def _by_number(db: Snapshot, text: str) -> list[Provider]:
    digits = remove_tin_marks(text)
    if not is_tin(digits):
        return []
    rows = db.rows(
        """SELECT 'npi', npi, name FROM dim_npi WHERE npi = $digits
           UNION ALL SELECT DISTINCT 'tin', tin_value, business_name FROM dim_tin WHERE tin_value = $digits""",
        {"digits": digits},
    )
    return [Provider(*row) for row in rows]


def _by_name(db: Snapshot, text: str, limit: int) -> list[Provider]:
    words = text.lower().split()
    if not any(len(word) > 1 for word in words):
        return []
    has_all = " AND ".join(f"contains(lower(name), $word{n})" for n in range(len(words)))
    rows = db.rows(
        f"""SELECT kind, value, name FROM (
                SELECT 'tin' AS kind, tin_value AS value, business_name AS name FROM dim_tin
                UNION ALL SELECT 'npi', npi, name FROM dim_npi)
            WHERE {has_all} ORDER BY starts_with(lower(name), $word0) DESC, kind DESC, name, value LIMIT $limit""",
        {**{f"word{n}": word for n, word in enumerate(words)}, "limit": limit},
    )
    return [Provider(*row) for row in rows]


def _payers(db: Snapshot, text: str, limit: int) -> list[tuple[str, str]]:
    words = text.lower().split()
    if not any(len(word) > 1 for word in words):
        return []
    has_all = " AND ".join(f"contains(lower(reporting_entity_name), $word{n})" for n in range(len(words)))
    return [
        (str(slug), str(name))
        for slug, name in db.rows(
            f"""SELECT payer_slug, reporting_entity_name FROM dim_reporting_entity
                WHERE {has_all} ORDER BY lower(reporting_entity_name) LIMIT $limit""",
            {**{f"word{n}": word for n, word in enumerate(words)}, "limit": limit},
        )
    ]
