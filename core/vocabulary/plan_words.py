"""Words by which a search asks for the health plans of a payer: "evry health group plan"."""

from collections.abc import Sequence

_PLANS = frozenset({"plan", "plans"})
_KINDS = frozenset((
    "health", "group", "individual", "market", "marketplace", "insurance", "employer", "employers", "hmo", "ppo", "epo",
    "pos", "exchange", "commercial", "coverage", "benefit", "benefits", "list", "of", "the", "all", "which", "what",
))  # fmt: skip


def asks_for_plans(words: Sequence[str]) -> bool:
    """Return whether words, without the name of a payer, ask for its plans and for nothing else."""
    said = {word.lower() for word in words}
    return bool(said & _PLANS) and said <= _PLANS | _KINDS
