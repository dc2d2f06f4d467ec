"""The key of a payer in addresses and joins, made from its name as published."""

import re

SLUG_PATTERN = "[a-z0-9_]+"
"""A payer's key, as a regular expression without anchors."""

SLUG_EXPECTED = "a payer's key of a-z, 0-9 and _, such as example_health_plan"
"""What a message says was expected where a text is not a payer's key."""

_SLUG = re.compile(SLUG_PATTERN)
_OTHER_CHARACTERS = re.compile("[^a-z0-9]+")


def make_payer_slug(name: str) -> str:
    """Return a payer's name as a key: lower case, every run of characters but a-z and 0-9 one underscore.

    The SQL macro and the Polars expression of core.store.schema.ids are tested to agree with this function.
    """
    return _OTHER_CHARACTERS.sub("_", name.lower()).strip("_")


def is_payer_slug(text: str) -> bool:
    """Return whether a text has the form of a payer's key."""
    return _SLUG.fullmatch(text) is not None
