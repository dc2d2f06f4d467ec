"""The pages that bench.site measures, each with the same question in plain SQL.

The statements run unchanged on DuckDB (on the store's Parquet files, each a view of its table's name) and on PostgreSQL
(on tables of the same rows). They are what a user would type: what is counted, the spread by payer, the first fifty
rows. To measure another page, add a line to `pages`.
"""

import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import duckdb

from core.fields.codes.short_code_list import shorten_list

Values = dict[str, Any]


@dataclass(frozen=True)
class Page:
    """A page: what it is asked, one dictionary a time, its address made of them, and the same question in SQL."""

    name: str
    samples: list[Values]
    path: str
    """With {npi} and {tin} where they stand in the path."""
    parameters: tuple[str, ...] = ()
    """Which of a sample's values are in the query string."""
    statements: tuple[str, ...] = ()
    fixed: Values = field(default_factory=dict)
    """What else is in the query string."""

    def url(self, sample: Values) -> str:
        """Return the address."""
        query = {name: sample[name] for name in self.parameters} | self.fixed
        path = self.path.format(**{name: quote(str(value)) for name, value in sample.items()})
        return f"{path}?{urlencode(query)}" if query else path


MARKET = ("state", "year_month", "code_type", "code")

_MARKET = "f.state = $state AND f.year_month = $year_month AND f.code_type = $code_type AND f.code = $code"
_PLACE = f"{_MARKET} AND f.pos_set_id IN (SELECT pos_set_id FROM xref_pos WHERE pos IN ('11', 'CSTM-00'))"
_PAYER = f"{_MARKET} AND f.reporting_entity_name = $payer_name"
_SPREAD = "percentile_cont(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY negotiated_rate)"


def _rates(where: str) -> tuple[str, ...]:
    return (
        f"""SELECT count(*), count(DISTINCT f.pg_uid), count(DISTINCT f.reporting_entity_name)
            FROM fact_rate f WHERE {where}""",
        f"""SELECT count(DISTINCT npi) FROM xref_group_npi
            WHERE year_month = $year_month AND pg_uid IN (SELECT f.pg_uid FROM fact_rate f WHERE {where})""",
        f"""SELECT negotiated_type, reporting_entity_name, billing_class, billing_code_modifier, count(*),
                   min(negotiated_rate), max(negotiated_rate), avg(negotiated_rate), {_SPREAD}
            FROM fact_rate f WHERE {where} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""",
        f"""SELECT f.*, (SELECT min(business_name) FROM xref_group_tin t JOIN dim_tin USING (tin_type, tin_value)
                         WHERE t.pg_uid = f.pg_uid)
            FROM (SELECT * FROM fact_rate f WHERE {where} ORDER BY negotiated_rate, fact_uid LIMIT 50) f""",
    )


def _every(where: str) -> tuple[str, ...]:
    return (f"SELECT * FROM fact_rate f WHERE {where} ORDER BY negotiated_rate, fact_uid",)


def _provider(groups: str, who: str) -> tuple[str, ...]:
    return (
        who,
        f"""SELECT year_month, payer_slug, count(DISTINCT pg_uid) FROM ({groups}) g GROUP BY 1, 2 ORDER BY 1, 2""",
        f"""SELECT f.year_month, f.code_type, f.code, f.reporting_entity_name, f.negotiated_type, f.billing_class,
                   f.billing_code_modifier, count(*), min(negotiated_rate), max(negotiated_rate),
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY negotiated_rate)
            FROM fact_rate f WHERE pg_uid IN (SELECT pg_uid FROM ({groups}) g)
            GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1 DESC, 3, 2, 5, 4, 6, 7 LIMIT 50""",
    )


_NPI = _provider(
    "SELECT year_month, payer_slug, pg_uid FROM xref_group_npi WHERE npi = $npi",
    """SELECT n.*, t.tin_value FROM dim_npi n LEFT JOIN
       (SELECT DISTINCT npi, tin_value FROM xref_tin_npi WHERE npi = $npi) t ON t.npi = n.npi WHERE n.npi = $npi""",
)
_TIN = _provider(
    "SELECT year_month, payer_slug, pg_uid FROM xref_group_tin WHERE tin_value = $tin",
    """SELECT n.npi, n.name FROM dim_npi n
       WHERE npi IN (SELECT npi FROM xref_tin_npi WHERE tin_value = $tin) ORDER BY name, npi LIMIT 200""",
)
_ORGANIZATIONS = (
    f"""SELECT tin_value, min(business_name), count(*) AS rates, count(DISTINCT pg_uid), avg(negotiated_rate), {_SPREAD}
        FROM fact_rate f JOIN xref_group_tin x USING (pg_uid) JOIN dim_tin USING (tin_type, tin_value)
        WHERE {_MARKET} AND negotiated_type IN ('negotiated', 'derived', 'fee schedule')
        GROUP BY tin_value ORDER BY rates DESC, tin_value LIMIT 50""",
)
_PAYERS = (
    f"""SELECT reporting_entity_name, count(*), count(DISTINCT pg_uid), avg(negotiated_rate), {_SPREAD}
        FROM fact_rate f WHERE {_MARKET} AND negotiated_type IN ('negotiated', 'derived', 'fee schedule')
        GROUP BY 1 ORDER BY 1""",
)
_PAYERS_OF_LIST = (
    f"""SELECT code, reporting_entity_name, count(*), {_SPREAD}
        FROM fact_rate f
        WHERE f.state = $state AND f.year_month = $year_month AND code_type = 'CPT' AND code = ANY($list)
          AND negotiated_type IN ('negotiated', 'derived', 'fee schedule')
        GROUP BY 1, 2 ORDER BY 1, 2""",
)
_MEDICARE = (
    f"""SELECT reporting_entity_name, count(*),
               percentile_cont(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (
                   ORDER BY negotiated_rate / medicare_prof_rate)
        FROM fact_rate f JOIN bench_medicare_prof b USING (state, year_month, code_type, code)
        WHERE {_MARKET} AND billing_class = 'professional' AND billing_code_modifier = '' AND medicare_prof_rate > 0
        GROUP BY 1 ORDER BY 1""",
    f"""SELECT f.*, negotiated_rate / medicare_prof_rate AS percent
        FROM fact_rate f JOIN bench_medicare_prof b USING (state, year_month, code_type, code)
        WHERE {_MARKET} AND billing_class = 'professional' AND billing_code_modifier = '' AND medicare_prof_rate > 0
        ORDER BY percent, fact_uid LIMIT 50""",
)
_CHANGES = (
    f"""WITH rates AS (
            SELECT f.year_month, tin_value, pos_set_id, negotiated_type, billing_class, billing_code_modifier, setting,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY negotiated_rate) AS p50
            FROM fact_rate f JOIN xref_group_tin USING (pg_uid)
            WHERE {_PAYER.replace("= $year_month", "IN ($year_month, $from)")} GROUP BY 1, 2, 3, 4, 5, 6, 7),
        two AS (
            SELECT tin_value, max(CASE WHEN year_month = $from THEN p50 END) AS old,
                   max(CASE WHEN year_month = $year_month THEN p50 END) AS new
            FROM rates
            GROUP BY tin_value, pos_set_id, negotiated_type, billing_class, billing_code_modifier, setting)
        SELECT count(*), count(CASE WHEN old IS NULL THEN 1 END), count(CASE WHEN new IS NULL THEN 1 END),
               count(CASE WHEN new > old THEN 1 END), count(CASE WHEN new < old THEN 1 END), avg(new / old)
        FROM two""",
)
_CODES = (
    """SELECT code_type, code, name, code_desc FROM dim_code
       WHERE code LIKE $number OR (lower(name) LIKE $word AND lower(code_desc) LIKE $word)
       ORDER BY code_type, code LIMIT 50""",
)
_HOME = (
    """SELECT state, year_month, payer_slug, count(*), sum(rows_added), max(CAST(finished_at AS VARCHAR))
       FROM dim_batch GROUP BY 1, 2, 3 ORDER BY 2 DESC, 1, 3""",
)


def pages(db: duckdb.DuckDBPyConnection, samples: int) -> list[Page]:
    """Return the pages, each with `samples` things to ask for, found in the store."""
    chance = random.Random("bench")
    found = months(db)
    common, middling, rare = (codes(db, *found[0], part, samples) for part in (0.0, 0.3, 0.95))
    somebody = db.execute("SELECT payer_slug, reporting_entity_name FROM dim_reporting_entity ORDER BY 1").fetchall()
    for values in common:
        values["payer"], values["payer_name"] = chance.choice(somebody)
        values["from"] = found[1][1] if len(found) > 1 else found[0][1]
    names = [name for (name,) in db.execute("SELECT DISTINCT name FROM dim_code ORDER BY name").fetchall()]
    words = [{"q": word, "number": f"{word}%", "word": f"%{word}%"} for word in _words(names, chance, samples)]
    npis, tins = _picked(db, "dim_npi", "npi", samples), _picked(db, "dim_tin", "tin_value", samples)
    everything = [code["code"] for code in codes(db, *found[0], 0.0, 100_000) if code["code_type"] == "CPT"]
    lists = [{**common[0], "list": chance.sample(everything, min(200, len(everything)))} for _ in range(samples)]
    for values in lists:
        # As links have it: a longer spelling is redirected to it.
        values["codes"] = shorten_list(",".join(f"CPT:{code}" for code in values["list"]))
    rates = "/rates/"
    return [
        Page("home", [{}], "/", statements=_HOME),
        Page("codes, a word", words, "/codes/", ("q",), _CODES),
        Page("rates, common code", common, rates, MARKET, _rates(_MARKET)),
        Page("rates, middling code", middling, rates, MARKET, _rates(_MARKET)),
        Page("rates, rare code", rare, rates, MARKET, _rates(_MARKET)),
        Page("rates, common, POS 11", common, rates, MARKET, _rates(_PLACE), {"pos": "11"}),
        Page("rates, common, one payer", common, rates, (*MARKET, "payer"), _rates(_PAYER)),
        Page("rates, middling, CSV", middling, rates, MARKET, _every(_MARKET), {"format": "csv"}),
        Page("rates, middling, JSON", middling, rates, MARKET, _every(_MARKET), {"format": "json"}),
        Page("NPI", npis, "/npi/{npi}/", statements=_NPI),
        Page("TIN", [{"tin": values["tin_value"]} for values in tins], "/tin/{tin}/", statements=_TIN),
        Page("organizations, common", common, "/organizations/", MARKET, _ORGANIZATIONS),
        Page("payers, common", common, "/payers/", MARKET, _PAYERS),
        Page("payers, 200 codes", lists, "/payers/", ("state", "year_month", "codes"), _PAYERS_OF_LIST),
        Page("changes, common", common, "/changes/", (*MARKET, "payer", "from"), _CHANGES),
        Page("medicare, common", common, "/medicare/", MARKET, _MEDICARE),
        Page("quality", [{}], "/quality/"),
        Page("API, rates, common", common, "/api/v1/rates", MARKET, _rates(_MARKET)),
        Page("API, summary, common", common, "/api/v1/rates/summary", MARKET, _rates(_MARKET)[2:3]),
        *_filtered_by_provider(db, common),
    ]


def _filtered_by_provider(db: duckdb.DuckDBPyConnection, common: list[Values]) -> list[Page]:
    """Return pages of the commonest codes near a ZIP code, and of a specialty, if the store knows where providers are.

    They are compared with the same pages without the filter.
    """
    if not db.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'provider_profile'").fetchall()[0][0]:
        return []
    commonest = "SELECT {0} FROM provider_profile WHERE {0} IS NOT NULL {1} GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
    places = db.execute(commonest.format("zip", "AND latitude IS NOT NULL")).fetchall()
    specialties = db.execute(commonest.format("specialty", "")).fetchall()
    filters = [("25 miles", {"near": f"{zip_code},25"}) for (zip_code,) in places]
    filters += [("specialty", {"specialty": specialty}) for (specialty,) in specialties]
    return [
        Page(f"{name}, {words}", common, f"/{name}/", MARKET, fixed=fixed)
        for words, fixed in filters
        for name in ("rates", "organizations", "medicare")
    ]


def months(db: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Return the states and months, newest first."""
    return db.execute(
        "SELECT state, year_month FROM dim_batch GROUP BY 1, 2 ORDER BY 2 DESC, sum(rows_added) DESC"
    ).fetchall()


def codes(db: duckdb.DuckDBPyConnection, state: str, month: str, part: float, count: int) -> list[Values]:
    """Return successive codes from that part of a month's codes on, commonest first."""
    rows = db.execute(
        """SELECT code_type, code, count(*) AS rates FROM fact_rate WHERE state = ? AND year_month = ?
           GROUP BY 1, 2 ORDER BY 3 DESC, 2""",
        [state, month],
    ).fetchall()
    first = min(int(len(rows) * part), max(len(rows) - count, 0))
    return [
        {"state": state, "year_month": month, "code_type": system, "code": code, "rates": rates}
        for system, code, rates in rows[first : first + count]
    ]


def _words(names: list[str], chance: random.Random, count: int) -> list[str]:
    every = sorted({word.strip(",").lower() for name in names for word in name.split() if len(word) > 3})
    return chance.sample(every, min(count, len(every)))


def _picked(db: duckdb.DuckDBPyConnection, table: str, column: str, count: int) -> list[Values]:
    rows = db.execute(f"SELECT {column} FROM {table} ORDER BY hash({column}) LIMIT {count}").fetchall()
    return [{column: value} for (value,) in rows]
