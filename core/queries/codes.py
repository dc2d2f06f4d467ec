"""Billing codes, found by number or words."""

from dataclasses import dataclass

from core.fields.billing_code import padded_codes
from core.queries.rules.columns import Code, CodeDescription, CodeName, CodeType, RateCount
from core.queries.rules.market import Market
from core.queries.rules.named_rows import read_page, read_rows
from core.store.connection import Snapshot


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


def search_codes(db: Snapshot, text: str, limit: int, offset: int = 0) -> tuple[int, list[CodeTitle]]:
    """Return the codes whose number begins with `text` or whose words contain each of its words, and how many match.

    An exact number comes first, then numbers that begin with the text, then words: whole words before parts of words.
    Empty text finds every code.
    """
    words = text.lower().split()
    conditions = " AND ".join(f"contains(words, $word{n})" for n in range(len(words))) or "true"
    whole = " + ".join(f"list_contains(word_list, $word{n})::INTEGER" for n in range(len(words)))
    whole_first = f"{whole} DESC, " if words else ""
    return read_page(
        db,
        CodeTitle,
        f"""WITH described AS (SELECT *, {_WORDS} AS words, {_split_words("words")} AS word_list FROM dim_code)
            SELECT count(*) OVER () AS total, code_type, code, name, code_desc
            FROM described WHERE starts_with(code, $number) OR ({conditions})
            ORDER BY code = $number DESC, starts_with(code, $number) DESC, {whole_first}code_type, code
            LIMIT $limit OFFSET $offset""",
        {
            "number": text.strip().upper(),
            **{f"word{n}": word for n, word in enumerate(words)},
            "limit": limit,
            "offset": offset,
        },
    )


_WORDS = "lower(concat_ws(' ', name, code_desc))"
"""All that is known of a code, in lower case."""


def _split_words(text: str) -> str:
    """Return SQL of the list of a text's words."""
    return f"regexp_split_to_array({text}, '[^a-z0-9]+')"


def correct_spelling(db: Snapshot, text: str) -> str | None:
    """Return the text with each unknown word replaced by the nearest word of any code; None if a word has none.

    Near is one letter wrong, missing, added or swapped with its neighbor, or two in words of eight letters or more.
    """
    words = text.lower().split()
    rows = db.rows(
        f"""WITH vocabulary AS (
                SELECT word, count(*) AS codes
                FROM (SELECT unnest(list_distinct({_split_words(_WORDS)})) AS word FROM dim_code)
                WHERE len(word) > 2 GROUP BY word)
            SELECT given, arg_min(word, (damerau_levenshtein(given, word), -codes, word))
            FROM (SELECT unnest($words) AS given) JOIN vocabulary
                ON abs(len(given) - len(word)) <= 2
                AND damerau_levenshtein(given, word) <=
                    CASE WHEN len(given) >= 8 THEN 2 WHEN len(given) > 3 THEN 1 ELSE 0 END
            GROUP BY given""",
        {"words": words},
    )
    nearest = dict(rows)
    if not words or any(word not in nearest for word in words):
        return None
    found = " ".join(nearest[word] for word in words)
    return found if found != " ".join(words) else None


def find_nearby_codes(db: Snapshot, state: str, year_month: str, code: str, limit: int) -> list[CodeCount]:
    """Return the codes just before and after one that a state and month do not have, with their numbers of rates."""
    return read_rows(
        db,
        CodeCount,
        """WITH there AS (
               SELECT code_type, code, count(*) AS rates FROM fact_rate
               WHERE state = $state AND year_month = $year_month GROUP BY ALL),
           nearest AS (
               (SELECT * FROM there WHERE code >= $code ORDER BY code LIMIT $half)
               UNION ALL
               (SELECT * FROM there WHERE code < $code ORDER BY code DESC LIMIT $half))
           SELECT code_type, code, d.name, rates
           FROM nearest LEFT JOIN dim_code d USING (code_type, code) ORDER BY code, code_type""",
        {"state": state, "year_month": year_month, "code": code, "half": limit // 2},
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


def find_possible_codes(db: Snapshot, code: str) -> list[CodeTitle]:
    """Return the codes that a number without its system may mean: 450 is also revenue code 0450."""
    conditions, parameters = ["code = $code"], {"code": code}
    for number, (system, padded) in enumerate(padded_codes(code).items()):
        conditions.append(f"(code_type = $system{number} AND code = $padded{number})")
        parameters |= {f"system{number}": system, f"padded{number}": padded}
    return read_rows(
        db,
        CodeTitle,
        f"""SELECT code_type, code, name, code_desc FROM dim_code
            WHERE {" OR ".join(conditions)} ORDER BY code_type, code""",
        parameters,
    )


def describe_code(db: Snapshot, code_type: str | None, code: str | None) -> CodeTitle | None:
    """Return the code with its name, in the given system or in any, or None if no fact has it."""
    rows = read_rows(
        db,
        CodeTitle,
        """SELECT code_type, code, name, code_desc FROM dim_code
           WHERE code = $code AND ($code_type IS NULL OR code_type = $code_type) ORDER BY code_type LIMIT 1""",
        {"code": code, "code_type": code_type},
    )
    return rows[0] if rows else None
