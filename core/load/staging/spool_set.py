"""The spools of one file: everything that is read from it except price rows."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.load.staging.group_members import MemberLists, MemberParts
from core.load.staging.row_spool import ListSpool, NumberSpool, RowSpool
from core.store.sql import parquet_rows

SPOOL_NAMES = (
    "codes", "bundles", "groups", "rejects", "defined", "group_parts",
    "part_tins", "part_npis", "part_names", "part_odd_values",
)  # fmt: skip
"""The spools that become rows of the store's tables. Only the fetcher of remote groups reads `locations`, and only
`id_spellings` reads `spellings`."""


class SpoolSet:
    """The spools of one file, in one directory, filled by one or several processes.

    `seq` is where an element is in the file: the number of its piece in the upper 32 bits, its position in the piece
    in the lower 32.
    """

    def __init__(self, directory: Path, writer: int = 0, sizes: LoadSizes = DEFAULT_SIZES) -> None:
        self.directory = directory
        max_rows = sizes.spool_rows

        def spool(table: str, **columns: Any) -> RowSpool:
            return RowSpool(directory, table, columns, writer, max_rows=max_rows)

        text, number = pl.String, pl.Int64
        code = {"code_type": text, "code": text}
        member = {"member_code_type": text, "member_code": text}
        self.codes = spool("codes", **code, code_desc=text, name=text, seq=number)
        self.bundles = spool(
            "bundles", **code, **member, negotiation_arrangement=text, member_description=text, seq=number
        )
        self.groups = spool("groups", key=pl.UInt64, raw=text, network_names=pl.List(text))
        self.rejects = spool("rejects", reason=text, seq=number, rate=number, price=number, value=text, rows=number)
        self.defined = NumberSpool(directory, "defined", ("key",), writer, max_rows=max_rows)
        self.spellings = spool("spellings", key=pl.UInt64, spelling=text)
        self.locations = spool("locations", key=pl.UInt64, url=text, seq=number)
        self.group_parts = ListSpool(directory, "group_parts", "parts", ("key", "seq"), writer, max_rows=max_rows)
        self.parts = MemberParts(directory, writer, sizes)
        plain = (self.codes, self.bundles, self.groups, self.rejects, self.spellings, self.locations)
        self._all = (*plain, self.defined, self.group_parts, self.parts)

    def add_parts(self, keys: npt.NDArray[np.uint64], lists: MemberLists, seqs: npt.NDArray[np.uint64]) -> None:
        """Add the parts of groups: one list of parts for each key."""
        self.group_parts.add_lists(lists.parts, lists.sizes, keys, seqs)

    def close(self) -> None:
        """Write the rows that are still in memory."""
        for spool in self._all:
            spool.close()


def spooled(directory: Path, name: str) -> str:
    """Return SQL for the rows of one of the spools in a directory. Those of `group_parts` are key, seq, and part."""
    rows = parquet_rows([str(directory / f"{name}-*.parquet")])
    return f"(SELECT key, seq, unnest(parts) AS part FROM {rows})" if name == "group_parts" else f"(FROM {rows})"
