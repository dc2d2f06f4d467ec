"""How well rates fit the fee schedules, and whose rates are those of surgical centers."""

from core.store.schema.columns import MONTH, PAYER, PG_UID, SLUG, STATE, Column, Table, integer, number, text

_SINCE = 4

SCHEDULE_FIT = Table(
    "schedule_fit",
    "silver/schedule_fit.parquet",
    ("state", "year_month", "reporting_entity_name", "billing_class", "places", "schedule"),
    "How well a payer's rates of one class fit the schedule of their class, and that of the other class: two rows, "
    "over the rates that both schedules price. Measured on a sample of distinct rates.",
    (
        STATE,
        MONTH,
        PAYER,
        text("billing_class", "The class that the file states: professional or institutional."),
        text("places", "surgical center (place of service 24 alone), unstated, or other."),
        text("schedule", "mpfs, opps or asc."),
        Column("of_label", "flag", "Whether it is the schedule of the class that the file states."),
        Column("chosen", "flag", "Whether these rates are compared with it, unless a visitor asks for another."),
        integer("codes", "How many codes have a rate that both schedules price."),
        integer("rates", "How many distinct rates of these codes were measured."),
        number("median", "Median of rate / amount: 1 is 100 %."),
        number("spread", "Standard deviation of the logarithm of rate / amount: smaller is a better fit."),
    ),
    since=_SINCE,
)

SURGICAL_CENTER_GROUP = Table(
    "surgical_center_group",
    "silver/surgical_center_group.parquet",
    ("year_month", "payer_slug", "pg_uid"),
    "The provider groups with an organization that NPPES lists as an ambulatory surgical center (261QA1903X), and "
    "without a person or a hospital.",
    (MONTH, SLUG, PG_UID),
    since=_SINCE,
)

FIT_TABLES = (SCHEDULE_FIT, SURGICAL_CENTER_GROUP)
"""The tables, in the order of the data dictionary."""
