"""The declarations, the files and the data dictionary are in step."""

from types import ModuleType

import pytest

from core.store.schema import benchmark_tables, provider_tables, quality_tables, rate_tables
from core.store.schema.data_dictionary import write_markdown
from core.store.schema.tables import FACT_RATE, RATE_BY_GROUP, REJECTS, TABLES, Table
from tests.paths import ROOT

SEED = (
    "fact_uid", "state", "year_month", "reporting_entity_name", "code_type", "code", "pg_uid", "pos_set_id",
    "negotiated_type", "negotiation_arrangement", "negotiated_rate", "expiration_date", "provider_group_id_raw",
)  # fmt: skip


def test_the_data_dictionary_is_up_to_date() -> None:
    text = (ROOT / "docs" / "data-dictionary.md").read_text()
    assert text == write_markdown(), "run: manage.py data_dictionary > docs/data-dictionary.md"


def test_the_fact_begins_with_the_seed_s_columns() -> None:
    assert FACT_RATE.names[:13] == SEED


def test_keys_and_orders_are_columns_and_every_column_is_explained() -> None:
    for table in TABLES.values():
        assert set(table.key) | set(table.order) <= set(table.names), table.name
        assert len(set(table.names)) == len(table.names)
        assert all(column.meaning.endswith(".") for column in table.columns), table.name


@pytest.mark.parametrize("module", [benchmark_tables, provider_tables, quality_tables, rate_tables])
def test_every_declared_table_is_a_table_of_the_store(module: ModuleType) -> None:
    declared = {value.name for value in vars(module).values() if isinstance(value, Table)}
    assert declared <= {*TABLES, RATE_BY_GROUP.name, REJECTS.name}
