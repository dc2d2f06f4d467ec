"""The key of a payer in addresses and joins, made from its name as published."""

import re

SLUG_PATTERN = "[a-z0-9_]+"
"""A payer's key, as a regular expression without anchors."""

_OTHER_CHARACTERS = re.compile("[^a-z0-9]+")


def make_payer_slug(name: str) -> str:
    """Return a payer's name as a key: lower case, every run of characters but a-z and 0-9 one underscore.

    The SQL macro and the Polars expression of core.store.schema.ids are tested to agree with this function.
    """
    return _OTHER_CHARACTERS.sub("_", name.lower()).strip("_")
