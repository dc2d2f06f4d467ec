"""The search box: a text may be a code, an NPI, a tax ID, the name of a provider or a payer."""

from dataclasses import dataclass
from typing import Annotated

from core.fields.tin import is_tin, remove_tin_marks
from core.queries import codes
from core.queries.rules.columns import PayerName, PayerSlug, described
from core.queries.rules.folded_names import contains_words, folded_sql
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot

LIMIT = 12
"""How many codes, providers and payers are named at most."""


@dataclass(frozen=True)
class Provider:
    """An organization by its tax ID, or a person or organization by its NPI."""

    by: Annotated[str, described("npi or tin.", "npi")]
    value: Annotated[str, described("The NPI or the tax ID.", "1234567893")]
    name: Annotated[str | None, described("Name of the provider, if it is known.", "DOE, JANE")]
    other_name: Annotated[
        str | None,
        described("The other name by which the provider was found; null if its name matches.", "JANE ROE"),
    ] = None


@dataclass(frozen=True)
class FoundPayer:
    """A payer that matches."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName


@dataclass(frozen=True)
class SearchResults:
    """What a search finds. `corrected` is the corrected text, if the given one matches no code."""

    codes: list[codes.CodeTitle]
    codes_in_all: int
    providers: list[Provider]
    payers: list[FoundPayer]
    corrected: str | None

    @property
    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        return not (self.codes or self.providers or self.payers)


def search_everything(db: Snapshot, text: str, limit: int = LIMIT) -> SearchResults:
    """Return what the text may be: codes by number or words (typing errors forgiven), providers and payers."""
    total, found = codes.search_codes(db, text, limit)
    numbers = _find_by_number(db, text)
    names = _find_by_name(db, text, limit) if not numbers else []
    payers = _find_payers(db, text, limit)
    corrected = None
    if not (found or numbers or names or payers):
        corrected = codes.correct_spelling(db, text)
        if corrected:
            total, found = codes.search_codes(db, corrected, limit)
    return SearchResults(found, total, numbers or names, payers, corrected)


def _find_by_number(db: Snapshot, text: str) -> list[Provider]:
    digits = remove_tin_marks(text)
    if not is_tin(digits):
        return []
    return read_rows(
        db,
        Provider,
        """SELECT 'npi' AS "by", npi AS value, name, NULL AS other_name FROM dim_npi WHERE npi = $digits
           UNION ALL SELECT DISTINCT 'tin', tin_value, shown_name, NULL FROM named_tin WHERE tin_value = $digits""",
        {"digits": digits},
    )


def _find_by_name(db: Snapshot, text: str, limit: int) -> list[Provider]:
    words, has_all = contains_words(text, "folded")
    if not words:
        return []
    # A person is found by the middle name and the suffix as well, and a provider by its other names.
    return read_rows(
        db,
        Provider,
        f"""WITH known AS (
                SELECT 'tin' AS "by", tin_value AS value, shown_name AS name,
                       concat_ws(' ', business_name, city) AS known_as, false AS is_other
                FROM named_tin WHERE business_name IS NOT NULL
                UNION ALL SELECT 'npi', npi, name, concat_ws(' ', name, middle_name, suffix), false FROM dim_npi
                UNION ALL SELECT 'npi', npi, name, other_name, true FROM dim_npi WHERE other_name IS NOT NULL
                UNION ALL SELECT 'npi', npi, name, o.other_name, true
                    FROM npi_other_name o JOIN dim_npi USING (npi)),
            found AS (SELECT *, {folded_sql("known_as")} AS folded FROM known WHERE {has_all}),
            once AS (
                FROM found QUALIFY row_number() OVER (PARTITION BY "by", value ORDER BY is_other, known_as) = 1)
            SELECT "by", value, name, CASE WHEN is_other THEN known_as END AS other_name FROM once
            ORDER BY starts_with(folded, $word0) DESC, is_other, "by" DESC, name, value LIMIT $limit""",
        {**words, "limit": limit},
    )


def _find_payers(db: Snapshot, text: str, limit: int) -> list[FoundPayer]:
    words, has_all = contains_words(text, "folded")
    if not words:
        return []
    return read_rows(
        db,
        FoundPayer,
        f"""SELECT payer_slug, reporting_entity_name
            FROM (SELECT *, {folded_sql("reporting_entity_name")} AS folded FROM dim_reporting_entity)
            WHERE {has_all} ORDER BY lower(reporting_entity_name) LIMIT $limit""",
        {**words, "limit": limit},
    )
