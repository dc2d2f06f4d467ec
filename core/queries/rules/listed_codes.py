"""The condition that facts are of some codes."""

from collections.abc import Iterable


def in_codes(codes: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return the condition that a fact AS f is of one of the codes, and its parameters.

    They are bound one by one in an IN list: DuckDB skips row groups by it, but not by a list in one parameter.
    """
    bound = {f"number{at}": code for at, code in enumerate(sorted(set(codes)))}
    return f"f.code IN ({', '.join(f'${name}' for name in bound)})", bound
