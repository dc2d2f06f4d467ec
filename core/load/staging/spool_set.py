"""The spools of one file: all that is read of it but the price rows."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from core.load.providers.group_members import MemberLists, MemberParts
from core.load.staging.row_spool import ListSpool, NumberSpool, RowSpool
from core.store.connection import parquet_list


class SpoolSet:
    """The spools of one file, in one directory, filled by one or several processes.

    `seq` is the number of a piece times 2**32 plus the element's place in it.
    """

    def __init__(self, directory: Path, writer: int = 0) -> None:
        self.directory = directory

        def spool(table: str, **columns: Any) -> RowSpool:
            return RowSpool(directory, table, columns, writer)

        text, number = pl.String, pl.Int64
        code = {"code_type": text, "code": text}
        member = {"member_code_type": text, "member_code": text}
        self.codes = spool("codes", **code, code_desc=text, name=text, seq=number)
        self.bundles = spool(
            "bundles", **code, **member, negotiation_arrangement=text, member_description=text, seq=number
        )
        self.groups = spool("groups", key=pl.UInt64, raw=text, network_names=pl.List(text))
        self.rejects = spool("rejects", reason=text, seq=number, rate=number, price=number, value=text, rows=number)
        self.defined = NumberSpool(directory, "defined", ("key",), writer)
        self.locations = spool("locations", key=pl.UInt64, url=text, seq=number)
        self.group_parts = ListSpool(directory, "group_parts", "parts", ("key", "seq"), writer)
        self.parts = MemberParts(directory, writer)
        plain = (self.codes, self.bundles, self.groups, self.rejects, self.locations)
        self._all = (*plain, self.defined, self.group_parts, self.parts)

    def add_parts(self, keys: npt.NDArray[np.uint64], lists: MemberLists, seqs: npt.NDArray[np.uint64]) -> None:
        """Takes in the parts of some groups, each the members of one."""
        self.group_parts.add_lists(lists.parts, lists.sizes, keys, seqs)

    def close(self) -> None:
        """Writes what is still in memory."""
        for spool in self._all:
            spool.close()


def spooled(directory: Path, name: str) -> str:
    """SQL of the rows of one of the spools in a directory; those of `group_parts` are key, seq and part."""
    rows = parquet_list([str(directory / f"{name}-*.parquet")])
    return f"(SELECT key, seq, unnest(parts) AS part FROM {rows})" if name == "group_parts" else f"(FROM {rows})"
