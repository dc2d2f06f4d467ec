"""The 64-bit keys by which rows name a provider group while a file is read."""

import hashlib

import numpy as np
import numpy.typing as npt
import polars as pl

from core.store.schema import ids

NAMED_KEY = 1 << 63
"""Keys from here on belong to ids that are not whole numbers."""

WHOLE_KEY_LIMIT = 1 << 62
"""Whole numbers below this are their own keys. Between here and NAMED_KEY are the keys of groups without a known id,
see `remote.retry_unresolved`."""


def group_key(group_id: str) -> int:
    """Return the key of a provider group id.

    A whole number below WHOLE_KEY_LIMIT is its own key. Any other id gets NAMED_KEY plus 63 bits of its MD5 sum. Two
    ids of one file may share a key: the chance is 1 in 184,000 at 10 million ids, and the end of the file checks it.
    """
    if group_id.isdecimal() and group_id.isascii() and len(group_id) <= 19 and str(int(group_id)) == group_id:
        number = int(group_id)
        if number < WHOLE_KEY_LIMIT:
            return number
    digest = hashlib.md5(group_id.encode(), usedforsecurity=False).digest()
    return NAMED_KEY | (int.from_bytes(digest[:8], "big") >> 1)


def group_keys_of_names(group_ids: pl.Series) -> npt.NDArray[np.uint64]:
    """Return `group_key` of ids none of which is a whole number."""
    words = ids.hash_words(ids.md5_all(group_ids))
    return np.uint64(NAMED_KEY) | (words[:, 0].byteswap() >> np.uint64(1))
