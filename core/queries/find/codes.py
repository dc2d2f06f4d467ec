"""Billing codes, found by number or words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

from core.fields.codes.billing_code import padded_codes
from core.queries.code_titles import CodeKey
from core.queries.coverage import list_periods
from core.queries.find.code_index import CodeIndex, FoundCode, code_index, find_codes
from core.queries.market.market import Market
from core.queries.rules.asked_first import asked_first_sql
from core.queries.rules.columns import Code, CodeDescription, CodeName, CodeType, Month, RateCount, State, described
from core.queries.rules.named_rows import read_rows
from core.store.connection import Snapshot
from core.store.schema.tables import DIM_CODE


@dataclass(frozen=True)
class CodeTitle:
    """A billing code that a loaded rate uses."""

    code_type: CodeType
    code: Code
    name: CodeName
    code_desc: CodeDescription


@dataclass(frozen=True)
class CodeCount:
    """A billing code and its number of rates."""

    code_type: CodeType
    code: Code
    name: CodeName
    rates: RateCount


def list_asked_codes(
    db: Snapshot, limit: int, offset: int = 0, first: Sequence[str] = (), state: str = ""
) -> tuple[int, list[FoundCode]]:
    """Return every code, and how many there are: `first`, then those of our own vocabulary, then the others.

    Among these, and among the others, the codes with most rates come first. With a state, see _in_state.
    """
    index = code_index(db)
    keys = _in_state(index, index.list_asked_first(first), state)
    return len(keys), [index.describe(key, state or None) for key in keys[offset : offset + limit]]


def _in_state(index: CodeIndex, keys: Sequence[CodeKey], state: str) -> list[CodeKey]:
    """Return codes with those first that have rates in a state, if one is asked for."""
    return sorted(keys, key=lambda key: state not in index.rates.get(key, {})) if state else list(keys)


def search_codes(db: Snapshot, text: str, limit: int, offset: int = 0, state: str = "") -> tuple[int, list[FoundCode]]:
    """Return the codes that a text means by number or words, and how many there are: see `CodeIndex.find`.

    An exact number comes first, then numbers that begin with the text, then the codes of services that people call so,
    then payers' words: whole words before parts of words. Empty text finds every code. With a state, see _in_state.
    """
    index = code_index(db)
    found = _in_state(index, find_codes(db, text), state)
    return len(found), [index.describe(key, state or None) for key in found[offset : offset + limit]]


def correct_spelling(db: Snapshot, text: str) -> str | None:
    """Return the text with each unknown word replaced by the nearest word of any code; None if a word has none.

    Near is one letter wrong, missing, added or swapped with its neighbor, or two in words of eight letters or more.
    """
    return code_index(db).correct_spelling(text)


@dataclass(frozen=True)
class MarketCode:
    """A billing code of a market, with the range of its rates of all classes and terms."""

    code_type: CodeType
    code: Code
    name: CodeName
    rates: RateCount
    lowest: Annotated[
        float | None, described("The lowest rate in dollars above zero; null if there is none. Of all classes.", 88.0)
    ]
    highest: Annotated[float | None, described("The highest of these.", 104.0)]
    lowest_percentage: Annotated[
        float | None, described("The lowest percentage of the charge above zero; null if there is none.", 60.0)
    ]
    highest_percentage: Annotated[float | None, described("The highest of these.", 60.0)]
    zeros: Annotated[int, described("Number of rates that are zero: no price was given.", 0)]


@dataclass(frozen=True)
class CodePeriod:
    """A state and month in which a code has rates."""

    state: State
    year_month: Month
    code_type: CodeType
    rates: RateCount


def list_code_periods(db: Snapshot, code_type: str | None, code: str) -> list[CodePeriod]:
    """Return the states and months in which a code has rates, newest first, in one code system or in any."""
    periods = sorted({(one.state, one.year_month) for one in list_periods(db)})
    if not periods:
        return []
    # The facts are sorted by state, month, and code: each of these is found in a few row groups.
    values = {f"{name}_{at}": value for at, pair in enumerate(periods) for name, value in zip("sm", pair, strict=True)}
    of_system = "" if code_type is None else "AND f.code_type = $code_type"
    parts = [
        f"""SELECT f.state, f.year_month, f.code_type, count(*) AS rates FROM fact_rate f
            WHERE f.state = $s_{at} AND f.year_month = $m_{at} AND f.code = $code {of_system} GROUP BY ALL"""
        for at in range(len(periods))
    ]
    named = {"code": code, **({} if code_type is None else {"code_type": code_type})}
    return read_rows(
        db,
        CodePeriod,
        f"{' UNION ALL '.join(parts)} ORDER BY year_month DESC, rates DESC, state, code_type",
        {**values, **named},
    )


def find_nearby_codes(db: Snapshot, market: Market, limit: int) -> list[CodeCount]:
    """Return the codes just before and after the market's, whose state and months have no rate of it."""
    every = market.of_code.without("code_type", "code")
    return read_rows(
        db,
        CodeCount,
        f"""WITH there AS (
               SELECT f.code_type, f.code, count(*) AS rates FROM fact_rate f WHERE {every.where} GROUP BY ALL),
           nearest AS (
               (SELECT * FROM there WHERE code >= $code ORDER BY code LIMIT $half)
               UNION ALL
               (SELECT * FROM there WHERE code < $code ORDER BY code DESC LIMIT $half))
           SELECT code_type, code, d.name, rates
           FROM nearest LEFT JOIN dim_code d USING (code_type, code) ORDER BY code, code_type""",
        {**every.parameters, "code": market.code or "", "half": limit // 2},
    )


def list_busiest_codes(db: Snapshot, market: Market, limit: int) -> list[CodeCount]:
    """Return the codes with most rates in a market."""
    return read_rows(
        db,
        CodeCount,
        f"""SELECT code_type, code, d.name, rates FROM (
               SELECT f.code_type, f.code, count(*) AS rates FROM fact_rate f WHERE {market.where}
               GROUP BY ALL ORDER BY rates DESC, code, code_type LIMIT $limit)
           LEFT JOIN dim_code d USING (code_type, code) ORDER BY rates DESC, code, code_type""",
        {**market.parameters, "limit": limit},
    )


def list_market_codes(db: Snapshot, market: Market, limit: int) -> list[MarketCode]:
    """Return the codes of a market, those that people ask for first (see asked_first_sql), then by number of rates.

    Codes for which the payers give no price are last.
    """
    kind = "rate_kind(f.negotiated_type, f.negotiation_arrangement)"
    ranges = ", ".join(
        f"""min(f.negotiated_rate) FILTER ({kind} = '{of}' AND f.negotiated_rate > 0) AS lowest{ending},
            max(f.negotiated_rate) FILTER ({kind} = '{of}' AND f.negotiated_rate > 0) AS highest{ending}"""
        for of, ending in (("dollars", ""), ("percentage", "_percentage"))
    )
    return read_rows(
        db,
        MarketCode,
        f"""WITH counted AS (
                SELECT f.code_type, f.code, count(*) AS rates, {ranges},
                       count(*) FILTER (f.negotiated_rate = 0) AS zeros
                FROM fact_rate f WHERE {market.where} GROUP BY f.code_type, f.code),
            page AS (
                SELECT *, {asked_first_sql("code_type", "code")} + if(zeros = rates, 1000, 0) AS place FROM counted
                ORDER BY place, rates DESC, code, code_type LIMIT $limit)
            SELECT page.* EXCLUDE (place), d.name FROM page LEFT JOIN dim_code d USING (code_type, code)
            ORDER BY place, rates DESC, code, code_type""",
        {**market.parameters, "limit": limit},
    )


def count_codes(db: Snapshot, market: Market, codes: Sequence[str]) -> list[CodeCount]:
    """Return those of some codes that a market has, in whichever code system, with their numbers of rates."""
    numbers = {f"code{n}": code for n, code in enumerate(codes)}
    return read_rows(
        db,
        CodeCount,
        f"""SELECT code_type, code, d.name, rates FROM (
               SELECT min(f.code_type) AS code_type, f.code, count(*) AS rates FROM fact_rate f
               WHERE {market.where} AND f.code IN ({", ".join(f"${name}" for name in numbers)}) GROUP BY f.code)
           LEFT JOIN dim_code d USING (code_type, code) ORDER BY rates DESC, code""",
        {**market.parameters, **numbers},
    )


def find_possible_codes(db: Snapshot, code: str) -> list[CodeTitle]:
    """Return the codes that a number without its system may mean: 450 is also revenue code 0450."""
    meant = set(padded_codes(code).items())
    titles = _find_titles(db, {code, *(padded for _, padded in meant)})
    return [one for one in titles if one.code == code or (one.code_type, one.code) in meant]


def describe_code(db: Snapshot, code_type: str | None, code: str | None) -> CodeTitle | None:
    """Return the code with its name, in the given system or in any, or None if no fact has it."""
    titles = _find_titles(db, {code or ""})
    return next((one for one in titles if code_type in {None, one.code_type}), None)


def _find_titles(db: Snapshot, numbers: Iterable[str]) -> list[CodeTitle]:
    """Return the codes with these numbers, in the order of their systems."""
    found = db.list_rows_of(DIM_CODE.name, "code", numbers, ["code_type", "name", "code_desc"])
    return sorted((CodeTitle(**row) for row in found), key=lambda one: (one.code_type, one.code))
