"""How the percents of Medicare that a contract pays are written: to a tenth, as contracts state them."""

from collections.abc import Sequence


def write_tenths(multiple: float) -> str:
    """Return a multiple as a percent, to a tenth if it has one: 120%, 410.5%."""
    return f"{100 * multiple:.1f}".removesuffix(".0") + "%"


def join_percents(multiples: Sequence[float]) -> str:
    """Return several multiples as percents, in their order: 120%, 155%, and 160%."""
    return join_words([write_tenths(one) for one in multiples])


def join_words(words: Sequence[str]) -> str:
    """Return some words as a list in a sentence, with commas from three on."""
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"
