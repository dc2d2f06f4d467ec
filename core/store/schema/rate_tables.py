"""The facts, what surrounds them, and what is known of each file."""

from core.store.schema.columns import (
    ARRANGEMENT,
    BATCH,
    CODE,
    CODE_TYPE,
    MAX_NAME,
    MONTH,
    PAYER,
    PG_UID,
    POS_SET,
    RAW_GROUP,
    SLUG,
    STATE,
    Column,
    Table,
    compared,
    integer,
    number,
    provider_part,
    rate_part,
    scope_part,
    text,
    texts,
)

MAX_DESCRIPTION = 2_000
"""The characters that a description of a code may have."""

MAX_PLACE = 20
"""The characters that one place of service may have."""

MAX_FILE_NAME = 1_000
"""The characters that the name of a file, or of a file in a zip file, may have."""

MAX_ADDRESS = 16_384
"""The characters that a web address may have. Longer ones are not fetched."""

_NEGOTIATED_TYPE = text(
    "negotiated_type", "negotiated, derived and fee schedule are dollars; percentage; per diem.", 40
)
_NEGOTIATED_RATE = number(
    "negotiated_rate", "Dollars, or whole percent (40.5 is 40.5 %) where negotiated_type is percentage."
)
_BILLING_CLASS = text("billing_class", "professional, institutional or both, in lower case; null where absent.", 40)
_SETTING = text("setting", "inpatient, outpatient or both (schema 2), in lower case; null where absent.", 40)
_MODIFIER = text("billing_code_modifier", "Modifiers in capitals, sorted, joined by commas; empty text for none.", 100)

FACT_RATE = Table(
    "fact_rate",
    "gold/fact_rate.parquet",
    ("fact_uid",),
    "One row per negotiated rate: a price and a provider group. Never multiplied by the group's NPIs.",
    (
        text("fact_uid", "Hash of the whole grain: see docs/decisions/0002-fact-uid.md."),
        compared(scope_part(1, STATE)),
        compared(scope_part(2, MONTH)),
        compared(scope_part(3, PAYER)),
        compared(rate_part(1, CODE_TYPE)),
        compared(rate_part(2, CODE)),
        provider_part(1, PG_UID),
        compared(rate_part(3, POS_SET)),
        compared(rate_part(4, _NEGOTIATED_TYPE)),
        compared(rate_part(5, ARRANGEMENT)),
        compared(rate_part(7, _NEGOTIATED_RATE)),
        rate_part(6, text("expiration_date", "YYYY-MM-DD; null for 9999-12-31, absent or unreadable.")),
        provider_part(2, RAW_GROUP),
        compared(rate_part(8, _BILLING_CLASS)),
        compared(rate_part(9, _SETTING)),
        compared(rate_part(10, _MODIFIER)),
        rate_part(
            11, text("severity_of_illness", "Schema 2's severity of illness for APR-DRG; null where absent.", 40)
        ),
        text(
            "additional_information",
            "The payer's remark. Not part of the grain: of duplicates, the first one read stays.",
            2_000,
        ),
        Column(
            "billing_code_type_version",
            "text",
            "The version of the code system, as published, such as the fiscal year of MS-DRGs; null where absent, and "
            "for facts loaded before the store had this column. Not part of the grain: of duplicates, the first one "
            "read stays.",
            since=2,
            max_length=100,
        ),
    ),
    order=("state", "year_month", "code_type", "code", "reporting_entity_name"),
)

RATE_BY_GROUP = Table(
    "rate_by_group",
    "",
    (),
    "Copies of the facts' files, sorted by provider group, for the pages of one provider. They have no stable path.",
    tuple(column for column in FACT_RATE.columns if column.name == PG_UID.name)
    + tuple(column for column in FACT_RATE.columns if column.compared),
    order=("pg_uid", "code", "code_type"),
)

DIM_CODE = Table(
    "dim_code",
    "silver/dim_code/dim_code.parquet",
    ("code_type", "code"),
    "Descriptions of the billing codes that facts use: an official free title if one is loaded (see "
    "dim_code_official), otherwise the payers' own words.",
    (
        CODE_TYPE,
        CODE,
        text("code_desc", "The official long title, or the first description that was not blank.", MAX_DESCRIPTION),
        text("name", "The official short title, or the first name that was not blank.", MAX_DESCRIPTION),
    ),
)

DIM_CODE_OFFICIAL = Table(
    "dim_code_official",
    "silver/dim_code_official.parquet",
    ("code_type", "code"),
    "Official titles that are free to use (HCPCS level II, MS-DRG, revenue codes), from the user's files; never CPT or "
    "CDT. They go before a payer's words in dim_code, for codes that are loaded later as well.",
    (
        CODE_TYPE,
        CODE,
        text("code_desc", "The long title.", MAX_DESCRIPTION),
        text("name", "The short title; the long one where there is but one.", MAX_DESCRIPTION),
        text("source", "Name of the file it came from; the file loaded last stays.", MAX_FILE_NAME),
    ),
)

DIM_POS_SET = Table(
    "dim_pos_set",
    "silver/dim_pos_set/dim_pos_set.parquet",
    ("pos_set_id",),
    "The sets of places of service that facts use, the empty set among them.",
    (
        POS_SET,
        texts(
            "service_codes", "The place-of-service codes, sorted. CSTM-00 means every place.", MAX_PLACE, max_items=200
        ),
    ),
)

XREF_POS = Table(
    "xref_pos",
    "silver/xref_pos/xref_pos.parquet",
    ("pos_set_id", "pos"),
    "dim_pos_set, a row per place: to filter by one place of service.",
    (POS_SET, text("pos", "Place of service, two digits, or CSTM-00 for every place.", MAX_PLACE)),
)

DIM_REPORTING_ENTITY = Table(
    "dim_reporting_entity",
    "silver/dim_reporting_entity/dim_reporting_entity.parquet",
    ("payer_slug",),
    "The payers. Where two names share a slug, the one loaded last.",
    (
        SLUG,
        PAYER,
        text(
            "reporting_entity_type", "As published: health insurance issuer, third-party administrator and so on.", 100
        ),
        text("version", "The schema version the newest file claims (often wrong).", 40),
    ),
)

DIM_PAYER_BRIDGE = Table(
    "dim_payer_bridge",
    "silver/dim_payer_bridge.parquet",
    ("reporting_entity_name_raw",),
    "From a payer's published name to its slug.",
    (text("reporting_entity_name_raw", "The payer's name exactly as published.", MAX_NAME), SLUG),
)

DIM_BATCH = Table(
    "dim_batch",
    "silver/dim_batch/dim_batch.parquet",
    ("batch_id", "state"),
    "One row per file and state: what was read, what became of it. rows_read = rows_added + duplicates + "
    "rows_rejected + rows_filtered.",
    (
        BATCH,
        STATE,
        text(
            "source",
            "File name or URL, query string and credentials removed. A parameter stays that names the file, if nothing "
            "else does.",
            MAX_ADDRESS,
        ),
        PAYER,
        SLUG,
        MONTH,
        text("last_updated_on", "As published.", 40),
        text("version", "The schema version the file claims (often wrong).", 40),
        integer("bytes", "Bytes of JSON."),
        integer("in_network_items", "Elements of in_network."),
        integer("rows_read", "Prices times the provider groups they name (once where they name none)."),
        integer("rows_added", "Rows that became facts."),
        integer("duplicates", "Rows whose fact was there already, in this file or in the store."),
        integer("rows_rejected", "Rows left out for a reason that `rejects` counts."),
        integer("rows_filtered", "Rows a filter of the ingest left out."),
        text("rejects", "JSON object: reason to number of rows."),
        text("notes", "JSON object: oddities that are no rows (invalid_npi members, groups no rate uses) to counts."),
        Column("started_at", "moment", "When the ingest began, UTC."),
        Column("finished_at", "moment", "When the rows were ready, UTC."),
        text("filters", "JSON object: the filters used; {} for none."),
    ),
)

XREF_GROUP_LOCATION = Table(
    "xref_group_location",
    "silver/xref_group_location/xref_group_location.parquet",
    ("pg_uid", "location"),
    "Where members of provider groups are published that could not be fetched yet; ingest_mrf --resolve tries again.",
    (
        PG_UID,
        BATCH,
        text("location", "The web address as published, query string and credentials removed.", MAX_ADDRESS),
        Column("signed", "flag", "Whether something was removed, so that only the payer's file has the whole address."),
        text("problem", "Why the last attempt failed.", MAX_DESCRIPTION),
        Column("tried_at", "moment", "When that was, UTC; null where no attempt was made."),
    ),
)

XREF_BATCH_PLAN = Table(
    "xref_batch_plan",
    "silver/xref_batch_plan/xref_batch_plan.parquet",
    ("batch_id", "state", "plan_id_type", "plan_id", "plan_market_type", "plan_name"),
    "The health plans whose rates a file holds, from tables of contents and from files of a single plan. What is not "
    "given is the empty text.",
    (
        BATCH,
        STATE,
        text("plan_name", "The plan's name, trimmed.", MAX_NAME),
        text("plan_id_type", "ein or hios, in lower case.", 40),
        text("plan_id", "The plan's EIN or HIOS id, as published.", 100),
        text("plan_market_type", "group or individual, in lower case.", 40),
        text("issuer_name", "Schema 2's issuer.", MAX_NAME),
        text("plan_sponsor_name", "Schema 2's sponsor, such as an employer.", MAX_NAME),
    ),
)

XREF_BATCH_SOURCE = Table(
    "xref_batch_source",
    "silver/xref_batch_source/xref_batch_source.parquet",
    ("source_id", "member", "state"),
    "Which file on the web a batch was loaded from, in which version: what has not changed there is not fetched again.",
    (
        text("source_id", "The address: 32 hex digits of a SHA-256 over it without its signature and credentials."),
        text("member", "The file's name in a zip file; the empty text for a file that is none.", MAX_FILE_NAME),
        STATE,
        BATCH,
        text("address", "The address, query string and credentials removed.", MAX_ADDRESS),
        integer("documents", "How many JSON documents the file on the web held; more than one only in a zip file."),
        integer("size", "Bytes of the file on the web."),
        text("etag", "The server's mark of this version, where it gave one."),
        text("last_modified", "When the server says it was changed, as it says it."),
        Column("fetched_at", "moment", "When it was fetched, UTC."),
    ),
)

XREF_BUNDLED_CODE = Table(
    "xref_bundled_code",
    "silver/xref_bundled_code/xref_bundled_code.parquet",
    ("code_type", "code", "member_code_type", "member_code"),
    "The members of bundles and of capitation's covered services.",
    (
        CODE_TYPE,
        CODE,
        text("member_code_type", "The member's code system.", CODE_TYPE.max_length),
        text("member_code", "The member's billing code.", CODE.max_length),
        ARRANGEMENT,
        text("member_description", "The member's description: the first that was not blank.", MAX_DESCRIPTION),
    ),
)

_CORRECTION = integer(
    "correction_id",
    "The correction: 1, 2, 3 and so on; in a copy of a published store, those made there count from 1,000,001.",
)

CORRECTIONS = Table(
    "corrections",
    "silver/corrections/corrections.parquet",
    ("correction_id",),
    "Removals of facts by correct_rates.",
    (
        _CORRECTION,
        text("selection", "JSON object: what was selected, by the names of the command's options."),
        text("reason", "Why, as given with --reason."),
        integer("rows", "Facts removed."),
        Column("created_at", "moment", "When they were removed, UTC."),
        Column("undone_at", "moment", "When they were put back, UTC; null while the correction is in force."),
    ),
)

REMOVED_RATE = Table(
    "removed_rate",
    "silver/corrections/removed/<shard>.parquet",
    ("fact_uid",),
    "The facts that corrections in force have removed: one file per correction, named by its correction_id.",
    (_CORRECTION, BATCH, *FACT_RATE.columns),
    order=("correction_id", *FACT_RATE.order),
)

REJECTS = Table(
    "rejects",
    "silver/rejects/<batch_id>.parquet",
    (),
    "What was left out of one file: one file of rejects per batch.",
    (
        text(
            "reason",
            "no_provider, invalid_rate, no_code and so on; with 0 rows invalid_npi, invalid_tin, personal_tin (members "
            "of groups), no_rates, no_prices, no_object, no_group_id.",
        ),
        text("place", "Where in the file, as a path: in_network[3].negotiated_rates[0].negotiated_prices[1]."),
        text("value", "The offending value, as published, cut after 200 characters."),
        integer("rows", "How many fact rows were left out by it; 0 for a member of a group."),
    ),
)

RATE_TABLES = (
    FACT_RATE,
    DIM_CODE,
    DIM_CODE_OFFICIAL,
    DIM_POS_SET,
    XREF_POS,
    DIM_REPORTING_ENTITY,
    DIM_PAYER_BRIDGE,
)
"""The facts and their dimensions, in the order of the data dictionary."""

FILE_TABLES = (
    DIM_BATCH,
    XREF_BATCH_PLAN,
    XREF_BATCH_SOURCE,
    XREF_GROUP_LOCATION,
    XREF_BUNDLED_CODE,
    CORRECTIONS,
    REMOVED_RATE,
)
"""What is known of each file and what was corrected, in the order of the data dictionary."""
