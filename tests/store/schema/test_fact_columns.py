"""The columns of the fact are declared once, and every list of them agrees with the declaration."""

from dataclasses import replace

from core.load.staging.price_runs import ItemFields, PriceFields
from core.store.generations.manifest import CHECKSUMS_SINCE, FORMAT
from core.store.schema import ids
from core.store.schema.columns import Column, Table, text
from core.store.schema.tables import DIM_CODE, FACT_RATE, TABLES, newest_format

CARRIED = {"fact_uid", "additional_information", "billing_code_type_version"}


def test_the_parts_of_fact_uid_are_the_whole_grain() -> None:
    grain = [*ids.SCOPE_PART, *ids.RATE_PART, *ids.PROVIDER_PART]
    assert len(grain) == len(set(grain))
    assert set(grain) == set(FACT_RATE.names) - CARRIED


def test_every_column_is_filled_from_one_place() -> None:
    filled = [
        "fact_uid", "negotiated_rate", *ids.SCOPE_PART, *ids.PROVIDER_PART, *ItemFields._fields, *PriceFields._fields,
    ]  # fmt: skip
    assert sorted(filled) == sorted(FACT_RATE.names)


def test_the_format_of_the_store_is_that_of_its_newest_table_or_column() -> None:
    new_column = replace(FACT_RATE, columns=(*FACT_RATE.columns, Column("made_up", "text", "Made up.", since=7)))
    new_table = Table("made_up", "gold/made_up.parquet", ("name",), "Made up.", (text("name", "A name."),), since=8)
    assert max(newest_format(), CHECKSUMS_SINCE) == FORMAT
    assert newest_format([*TABLES.values(), new_column]) == 7
    assert newest_format([new_column, new_table, DIM_CODE]) == 8
