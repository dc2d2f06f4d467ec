"""The names by which providers are found, folded once per generation, and the organizations that they belong to.

A register lists one clinic under many NPIs that have the same name, and payers list it under several tax IDs. All of
them are one organization here: the one that its tax IDs roll up to, or else one name in one town. People stand alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.queries.rules.folded_names import folded_sql
from core.store.connection import Snapshot
from core.store.watched_cursor import WatchedCursor

PROVIDER_NAME = "provider_name"
"""The table of names: a row for each name of an NPI, and for each tax ID. `key` is its organization, null for people
and for NPIs without a name. `folded` is the name with its town, `joined` the same without blanks, and `named` the
name alone without blanks. Of NPIs,
`zip`, `city`, `state`, and `specialty` are those of provider_profile."""

KNOWN_ORGANIZATION = "known_organization"
"""The table of organizations by `key`. The columns are those of FoundOrganization, but its rates."""

MAX_KEPT_NAMES = 500_000
"""So many names are kept in memory: 100 MB or so. Of more, each search reads and folds them again."""

_NPI_KEY = "concat('npi ', r.folded_name, '|', upper(coalesce(r.city, '')), '|', coalesce(r.state, ''))"

_ALIKE = "replace({}, ' ', '')"
"""Names are alike whatever their blanks and marks: ELM CLINIC, LLC is ELM CLINIC LLC."""

_MEMBERS = f"""
    tax_id AS (
        SELECT t.* EXCLUDE (organization_id), organization_id,
               coalesce(organization_id, tin_type || '_' || tin_value) AS key,
               coalesce(d.entity_type = 'individual', false) AS is_person
        -- A condition on one side alone would compare each tax ID with each NPI.
        FROM named_tin t LEFT JOIN dim_npi d ON d.npi = if(t.tin_type = 'npi', t.tin_value, NULL)
        WHERE coalesce(organization_name, business_name) IS NOT NULL),
    -- A person who bills under an own NPI is no organization, although the NPI is given as a tax ID.
    rolled_up AS (
        SELECT key, any_value(organization_id) AS organization_id,
               coalesce(any_value(organization_name), any_value(business_name)) AS organization_name,
               mode(city) AS city, mode(state) AS state, count(*) AS tins,
               count(*) FILTER (organization_confidence <> 'high') AS inferred,
               coalesce(bool_and(name_confidence <> 'high'), false) AS name_inferred,
               any_value(system_id) AS system_id, any_value(system_name) AS system_name,
               any_value(system_source) AS system_source, any_value(system_confidence) AS system_confidence,
               min(tin_value) AS tin
        FROM tax_id GROUP BY key HAVING NOT bool_and(is_person)),
    by_name AS (
        SELECT {_ALIKE.format(folded_sql("organization_name"))} AS folded_name, coalesce(upper(state), '') AS state,
               min(key) AS key
        FROM rolled_up GROUP BY ALL),
    register AS (
        SELECT npi, name, other_name, city, upper(left(state, 2)) AS state, entity_type, middle_name, suffix,
               {_ALIKE.format(folded_sql("name"))} AS folded_name
        FROM dim_npi),
    npi AS (
        SELECT r.*, CASE WHEN r.entity_type = 'organization' AND r.name IS NOT NULL
                         THEN coalesce(o.key, somewhere.key, {_NPI_KEY}) END AS key
        FROM register r
        LEFT JOIN by_name o ON o.folded_name = r.folded_name AND o.state = r.state
        LEFT JOIN by_name somewhere ON somewhere.folded_name = r.folded_name AND somewhere.state = '')"""

_NAMES_SQL = f"""
    WITH {_MEMBERS},
    name AS (
        SELECT key, 'tin' AS "by", tin_value AS value, shown_name AS name,
               concat_ws(' ', business_name, nullif(organization_name, business_name)) AS known_as,
               concat_ws(' ', city, state) AS town, false AS is_other
        FROM tax_id SEMI JOIN rolled_up USING (key) WHERE NOT is_person
        UNION ALL
        -- A person is found by the middle name and the suffix as well, and a provider by its other names.
        SELECT key, 'npi', npi, name, concat_ws(' ', name, middle_name, suffix), concat_ws(' ', city, state), false
        FROM npi
        UNION ALL
        SELECT key, 'npi', npi, name, other_name, concat_ws(' ', city, state), true FROM npi
        WHERE other_name IS NOT NULL
        UNION ALL
        SELECT key, 'npi', npi, name, o.other_name, concat_ws(' ', city, state), true
        FROM npi_other_name o JOIN npi USING (npi))
    SELECT key, "by", value, name, known_as, is_other,
           {folded_sql("concat_ws(' ', known_as, town)")} AS folded, replace(folded, ' ', '') AS joined,
           replace({folded_sql("known_as")}, ' ', '') AS named, p.zip, p.city, p.state, p.specialty
    FROM name LEFT JOIN provider_profile p ON p.npi = if("by" = 'npi', value, NULL)"""

_ORGANIZATIONS_SQL = f"""
    WITH {_MEMBERS},
    alike AS (
        SELECT key, any_value(name) AS name, any_value(city) AS city, any_value(state) AS state, min(npi) AS npi,
               count(*) AS npis
        FROM npi WHERE key IS NOT NULL GROUP BY key)
    SELECT key, organization_id, coalesce(organization_name, a.name) AS organization_name,
           coalesce(o.city, a.city) AS city, coalesce(o.state, a.state) AS state, coalesce(tins, 0) AS tins,
           coalesce(inferred, 0) AS inferred, coalesce(name_inferred, false) AS name_inferred, system_id, system_name,
           system_source, system_confidence, tin, a.npi, coalesce(npis, 0) AS npis
    FROM rolled_up o FULL JOIN alike a USING (key)"""

MEMBER_GROUPS_SQL = f"""
    WITH {_MEMBERS}
    SELECT DISTINCT key, year_month, pg_uid FROM (
        SELECT key, year_month, pg_uid FROM group_by_tin JOIN (
            SELECT tin_type, tin_value, key FROM tax_id SEMI JOIN rolled_up USING (key)) USING (tin_type, tin_value)
        UNION ALL
        -- The rates of an organization are those of its tax IDs; without one, those of all NPIs with its name.
        SELECT key, year_month, pg_uid FROM group_by_npi JOIN (
            SELECT npi, key FROM npi WHERE key IS NOT NULL AND key NOT IN (SELECT key FROM rolled_up)) USING (npi))"""
"""SQL of the provider groups of each organization, as `key`, `year_month`, and `pg_uid`."""


@contextmanager
def named_cursor(db: Snapshot) -> Iterator[tuple[WatchedCursor, str]]:
    """Yield a cursor with PROVIDER_NAME and KNOWN_ORGANIZATION, and what a query that reads them begins with.

    They are made once per generation, if they are not too many to be kept.
    """
    tables: dict[str, Any] = db.ask_once(_read_tables)
    with db.cursor() as cursor:
        for name, table in tables.items():
            cursor.plain.register(name, table)
        others = {PROVIDER_NAME: _NAMES_SQL, KNOWN_ORGANIZATION: _ORGANIZATIONS_SQL}.items() if not tables else ()
        yield cursor, "".join(f"{name} AS MATERIALIZED ({sql}), " for name, sql in others)


def _read_tables(db: Snapshot) -> dict[str, Any]:
    ((names,),) = db.rows(
        """SELECT (SELECT count(*) FROM named_tin) + (SELECT count(*) FROM dim_npi)
                  + (SELECT count(*) FROM npi_other_name)"""
    )
    if names > MAX_KEPT_NAMES:
        return {}
    return {
        PROVIDER_NAME: db.arrow_rows(_NAMES_SQL, {}),
        KNOWN_ORGANIZATION: db.arrow_rows(_ORGANIZATIONS_SQL, {}),
    }
