"""Select the facts a correction applies to, by conditions that a fact must all meet."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa

from core.runtime.errors import BeaconError
from core.store.outside_state import GROUP_STATE, IS_OUTSIDE_STATE, group_states_sql
from core.store.schema.tables import DIM_NPI, DIM_PAYER_BRIDGE, DIM_PROVIDER_GROUP, XREF_GROUP_NPI
from core.store.sql import parquet_rows


@dataclass(frozen=True)
class Selection:
    """A selection of facts. A field that is None does not narrow it.

    `payer` is a name as published, or a slug. Rates are in the units of the facts, and the bounds are inclusive.
    """

    batch: str | None = None
    payer: str | None = None
    state: str | None = None
    year_month: str | None = None
    code_type: str | None = None
    code: tuple[str, ...] | None = None
    """Any of these codes."""
    min_rate: float | None = None
    max_rate: float | None = None
    uids: Path | None = None
    """A text file of fact_uids, one per line. Empty lines and lines that begin with # are ignored."""
    outside_state: Literal[True] | None = None
    """Of groups nobody of whom practices in the rate's state, though it is known where somebody does."""

    def __post_init__(self) -> None:
        if not self.given:
            raise BeaconError("nothing is selected: name at least one of " + ", ".join(_CONDITIONS))
        if self.min_rate is not None and self.max_rate is not None and self.min_rate > self.max_rate:
            raise BeaconError(f"no rate is both at least {self.min_rate:g} and at most {self.max_rate:g}")

    @property
    def given(self) -> dict[str, Any]:
        """Return the fields that narrow the selection, by name, as plain values."""
        return {
            name: value.name if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
            if value is not None
        }

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the values that `where` binds."""
        return {name: value for name, value in self.given.items() if name not in _IN_TABLES}

    @property
    def where(self) -> str:
        """Return the condition on facts AS f, for a connection that `prepare` was called with."""
        return " AND ".join(_CONDITIONS[name] for name in self.given)

    def prepare(self, connection: duckdb.DuckDBPyConnection, paths: dict[str, list[str]]) -> None:
        """Create the tables that `where` refers to. `paths` has the files of the store's tables by name.

        Raises BeaconError for a payer or batch that the store does not have, for a file that is not a list of ids, and
        where no provider's state is known.
        """
        connection.execute("CREATE OR REPLACE TEMP TABLE chosen_uid (fact_uid VARCHAR)")
        connection.execute("CREATE OR REPLACE TEMP TABLE chosen_group (pg_uid VARCHAR)")
        connection.execute("CREATE OR REPLACE TEMP TABLE chosen_payer (reporting_entity_name VARCHAR)")
        if self.uids is not None:
            connection.register("uids_read", pa.table({"fact_uid": _read_uids(self.uids)}))
            connection.execute("INSERT INTO chosen_uid SELECT DISTINCT fact_uid FROM uids_read")
            connection.unregister("uids_read")
        if self.batch is not None:
            groups = parquet_rows(paths[DIM_PROVIDER_GROUP.name])
            connection.execute(
                f"INSERT INTO chosen_group SELECT pg_uid FROM {groups} WHERE batch_id = $batch", {"batch": self.batch}
            )
            _expect_some(connection, "chosen_group", f"batch {self.batch} has no provider group in the store")
        if self.payer is not None:
            payers = parquet_rows(paths[DIM_PAYER_BRIDGE.name])
            connection.execute(
                f"""INSERT INTO chosen_payer SELECT reporting_entity_name_raw FROM {payers}
                    WHERE reporting_entity_name_raw = $payer OR payer_slug = $payer""",
                {"payer": self.payer},
            )
            slugs = connection.execute(f"SELECT DISTINCT payer_slug FROM {payers} ORDER BY 1 LIMIT 20").fetchall()
            known = ", ".join(slug for (slug,) in slugs)
            _expect_some(connection, "chosen_payer", f"no payer {self.payer!r} in the store; its payers are: {known}")
        if self.outside_state:
            members, npis = (parquet_rows(paths[table.name]) for table in (XREF_GROUP_NPI, DIM_NPI))
            connection.execute(f"CREATE OR REPLACE TEMP TABLE {GROUP_STATE} AS {group_states_sql(members, npis)}")
            _expect_some(
                connection,
                GROUP_STATE,
                "no provider's state is known, as NPPES has not been loaded; load its file first: load_nppes FILE",
            )


_CONDITIONS = {
    "batch": "f.pg_uid IN (SELECT pg_uid FROM chosen_group)",
    "payer": "f.reporting_entity_name IN (SELECT reporting_entity_name FROM chosen_payer)",
    "state": "f.state = $state",
    "year_month": "f.year_month = $year_month",
    "code_type": "f.code_type = $code_type",
    "code": "f.code IN (SELECT unnest($code))",
    "min_rate": "f.negotiated_rate >= $min_rate",
    "max_rate": "f.negotiated_rate <= $max_rate",
    "uids": "f.fact_uid IN (SELECT fact_uid FROM chosen_uid)",
    "outside_state": IS_OUTSIDE_STATE,
}

_IN_TABLES = {"uids", "batch", "payer", "outside_state"}
"""The conditions whose values are in tables that `prepare` creates."""


def _expect_some(connection: duckdb.DuckDBPyConnection, table: str, problem: str) -> None:
    if not connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall():
        raise BeaconError(problem)


def _read_uids(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise BeaconError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BeaconError(f"{path}: not a text file of fact_uids; expected one per line, 32 hex digits each") from None
    found = []
    for number, line in enumerate(lines, 1):
        text = line.strip().lower()
        if text and not text.startswith("#"):
            if not re.fullmatch("[0-9a-f]{32}", text):
                raise BeaconError(f"{path}: line {number}: {line[:40]!r} is not a fact_uid; expected 32 hex digits")
            found.append(text)
    if not found:
        raise BeaconError(f"{path}: contains no fact_uid; expected one per line, 32 hex digits each")
    return found
