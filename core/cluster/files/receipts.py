"""Receipts: what a task has uploaded of one batch. A batch with a receipt is complete and need not be loaded again."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from core.cluster.place import StorePlace

FOLDER = "_done"
REJECTS_TABLE = "rejects"


class ClusterFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Parquet file of a table. Its name comes from its content, so uploading it twice changes nothing."""

    table: str
    path: str
    """The path below the place."""
    rows: int
    bytes: int
    state: str = ""
    """The state of facts, and their month. Other tables are not divided."""
    year_month: str = ""


class Receipt(msgspec.Struct, frozen=True):
    """A batch, the states it was loaded for, and its files."""

    batch_id: str
    source: str
    filters: dict[str, str]
    """For each state, what of the file was wanted, as dim_batch has it."""
    rows: int
    """Facts."""
    files: tuple[ClusterFile, ...]

    @property
    def path(self) -> str:
        """Return the path of the receipt below the place."""
        return f"{FOLDER}/{self.batch_id}.json"


def put_receipt(place: StorePlace, receipt: Receipt) -> Receipt:
    """Write a receipt. Return the one that counts: the first one written for the batch."""
    if place.create(receipt.path, msgspec.json.encode(receipt)):
        return receipt
    return read_receipt(place, receipt.path)


def read_receipt(place: StorePlace, path: str) -> Receipt:
    """Return the receipt at a path."""
    return msgspec.json.decode(place.read(path), type=Receipt)


def read_receipts(place: StorePlace, without: Iterable[str] = ()) -> list[Receipt]:
    """Return all receipts but those of the batches `without`, in order of their batches."""
    known = {f"{FOLDER}/{batch}.json" for batch in without}
    paths = [one.path for one in place.list(FOLDER) if one.path not in known]
    with ThreadPoolExecutor(16, "receipts") as pool:
        return list(pool.map(lambda path: read_receipt(place, path), paths))
