"""The rules that tell how likely it is that a provider group performs the service of a rate. They have no other copy.

The evidence is what clinicians billed to Medicare. That nobody billed a code is weak evidence: CMS withholds rows of
few beneficiaries, and Medicare covers hardly any children and pregnancies. So most of what is not known is `unscored`,
and `none` is only said of a group all of whose members are of specialties that are known not to bill the code.
"""

from core.fields.codes.unscored import UNSCORED_CODE_PATTERN, UNSCORED_SPECIALTIES
from core.store.connection import Snapshot
from core.store.market.market_months import in_months
from core.store.schema.tables import CODE_USE
from core.store.sql import quote

EVIDENCE = "evidence"
"""The parameter with one of CHOICES: which rates to show by their evidence."""

ALL_RATES, LIKELY = "all", "likely"
CHOICES = (ALL_RATES, LIKELY)
"""All rates, or those that are likely performed: all but those with no evidence."""

WITHHELD_BELOW = 11
"""CMS publishes no row of fewer beneficiaries."""

LEAST_SHARE = 0.01
"""The share of a specialty's clinicians who must bill a code for the specialty to count as one that performs it."""

LEAST_SPECIALTY = 30
"""The clinicians that a specialty must have in the loaded files for its share to mean anything."""

LEAST_CLINICIANS = 50
"""The clinicians who must bill a code for the absence of others to mean anything."""

BILLED, SPECIALTY, NONE, UNSCORED = "billed", "specialty", "none", "unscored"
LEVELS = {
    BILLED: "A member of the provider group billed this code to Medicare.",
    SPECIALTY: f"No member is known to have billed it, but at least {LEAST_SHARE:.0%} of the clinicians of a member’s "
    "specialty, or of the organizations of its type, did.",
    UNSCORED: "Nothing can be said: Medicare has too little of this code, it is care of children, pregnancy, or birth, "
    "or the specialty of a member is not known or has too few clinicians in Medicare’s files.",
    NONE: f"No member billed it, and under {LEAST_SHARE:.0%} of the clinicians of each member’s specialty did. That "
    f"does not prove that it is never performed: CMS withholds numbers under {WITHHELD_BELOW}.",
}
"""What can be said of a rate, in the order of pages."""

_SCORED_SPECIALTY = f"""(
    SELECT specialty FROM specialty_size
    WHERE clinicians >= {LEAST_SPECIALTY} AND specialty NOT IN ({", ".join(map(quote, UNSCORED_SPECIALTIES))}))"""


def knows_utilization(db: Snapshot) -> bool:
    """Return whether anything is loaded of what clinicians bill to Medicare."""
    return bool(db.manifest.rows(CODE_USE.name))


def group_uses_sql(asked: str, code: str, month: str) -> str:
    """Return SQL of what provider groups bill of codes, one row for each row of `asked` (pg_uid, code_type, code).

    The columns are those of `asked` and services, beneficiaries, specialty, share, and evidence (one of LEVELS). `code`
    is the parameter with the code, or empty if there are several; `month` is what months_sql returns.
    """
    in_month = f"AND {in_months('x.year_month', month)}" if month else ""
    of_code = f"u.code = {code}" if code else "u.code IN (SELECT code FROM asked)"
    known = f"c.code = {code}" if code else "c.code IN (SELECT code FROM asked)"
    return f"""
        WITH asked AS MATERIALIZED ({asked}),
        billed AS (
            SELECT x.pg_uid, u.code, sum(u.services) AS services, sum(u.beneficiaries)::BIGINT AS beneficiaries
            FROM xref_group_npi x JOIN utilization u USING (npi)
            WHERE x.pg_uid IN (SELECT pg_uid FROM asked) AND {of_code} {in_month} GROUP BY x.pg_uid, u.code),
        members AS MATERIALIZED (
            SELECT x.pg_uid, x.specialty, x.specialty IN {_SCORED_SPECIALTY} AS scored
            FROM group_specialty x WHERE x.pg_uid IN (SELECT pg_uid FROM asked) {in_month}),
        shares AS (
            SELECT m.pg_uid, u.code, max(u.share) AS share, arg_max(u.specialty, (u.share, u.specialty)) AS specialty
            FROM members m JOIN specialty_use u USING (specialty) WHERE m.scored AND {of_code} GROUP BY ALL),
        unscored AS (SELECT pg_uid, bool_or(NOT scored) AS has_unscored FROM members GROUP BY pg_uid),
        known AS (SELECT c.code FROM code_use c WHERE {known} AND c.clinicians >= {LEAST_CLINICIANS})
        SELECT a.pg_uid, a.code_type, a.code, b.services, b.beneficiaries, s.specialty, s.share,
               CASE WHEN a.code_type NOT IN ('CPT', 'HCPCS') THEN '{UNSCORED}'
                    WHEN b.services IS NOT NULL THEN '{BILLED}'
                    WHEN k.code IS NULL OR regexp_full_match(a.code, '{UNSCORED_CODE_PATTERN}') THEN '{UNSCORED}'
                    WHEN s.share >= {LEAST_SHARE} THEN '{SPECIALTY}'
                    WHEN coalesce(o.has_unscored, true) THEN '{UNSCORED}'
                    ELSE '{NONE}' END AS evidence
        FROM asked a
        LEFT JOIN billed b ON b.pg_uid = a.pg_uid AND b.code = a.code
        LEFT JOIN shares s ON s.pg_uid = a.pg_uid AND s.code = a.code
        LEFT JOIN unscored o ON o.pg_uid = a.pg_uid
        LEFT JOIN known k ON k.code = a.code"""


def list_billing_specialties(db: Snapshot, code: str) -> tuple[str, ...]:
    """Return the specialties of which enough clinicians bill a code to Medicare, most first.

    There are none if too few clinicians bill it at all, or if no such file is loaded.
    """
    if not knows_utilization(db):
        return ()
    rows = db.rows(
        f"""SELECT specialty FROM specialty_use
            WHERE code = $code AND share >= {LEAST_SHARE} AND specialty <> ''
              AND code IN (SELECT code FROM code_use WHERE code = $code AND clinicians >= {LEAST_CLINICIANS})
            ORDER BY share DESC, specialty""",
        {"code": code},
    )
    return tuple(specialty for (specialty,) in rows)


def likely_condition(month: str, asked: str = "") -> str:
    """Return the condition on fact_rate AS f that the filter sets: no rate without evidence, if those are asked for.

    Without `asked`, see group_uses_sql, the facts are those of the parameter `code`.
    """
    if asked:
        without = f"SELECT (pg_uid, code) FROM ({group_uses_sql(asked, '', month)}) WHERE evidence = '{NONE}'"
        return f"(${EVIDENCE} <> '{LIKELY}' OR (f.pg_uid, f.code) NOT IN ({without}))"
    in_month = f"WHERE {in_months('year_month', month)}" if month else ""
    groups = f"SELECT DISTINCT pg_uid, 'CPT' AS code_type, $code AS code FROM group_specialty {in_month}"
    without = f"SELECT pg_uid FROM ({group_uses_sql(groups, '$code', month)}) WHERE evidence = '{NONE}'"
    return f"(${EVIDENCE} <> '{LIKELY}' OR f.code_type NOT IN ('CPT', 'HCPCS') OR f.pg_uid NOT IN ({without}))"
