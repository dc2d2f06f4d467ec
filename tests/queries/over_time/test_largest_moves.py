"""The largest moves are those of a slow look at what each organization is paid."""

from collections import Counter
from math import log

import pytest

from core.queries.market.market import Market
from core.queries.over_time import largest_moves
from core.queries.over_time.changes import list_changed_pay
from core.queries.over_time.largest_moves import MOST_MOVES, list_largest_moves
from core.store.connection import Snapshot

LEAST_CHANGE = 0.001


@pytest.mark.parametrize("code", [None, "70450"])
def test_the_largest_moves_are_those_of_most_organizations(
    demo: Snapshot, monkeypatch: pytest.MonkeyPatch, code: str | None
) -> None:
    # The made-up files have small changes of few organizations.
    monkeypatch.setattr(largest_moves, "LEAST_ORGANIZATIONS", 2)
    monkeypatch.setattr(largest_moves, "LEAST_CHANGE", LEAST_CHANGE)
    market = Market("GA", "2025-08", code=code)
    alike = Counter(
        (row.code, row.payer_slug, row.old, row.new, row.modifier, row.place, row.billing_class, row.setting)
        for row in list_changed_pay(demo, market, "2025-07", None, "moved", 10**6, 0)[1]
        if row.what in {"up", "down"} and row.kind == "dollars" and row.old and row.new
    )
    sizes = sorted(
        ((number * abs(log(key[3] / key[2])), key[0]) for key, number in alike.items()
         if number > 1 and abs(key[3] / key[2] - 1) >= LEAST_CHANGE),
        key=lambda one: (-one[0], one[1]),
    )  # fmt: skip
    first = sizes if code else [one for at, one in enumerate(sizes) if one[1] not in {code for _, code in sizes[:at]}]
    found = list_largest_moves(demo, market, "2025-07")
    assert found, "the demo has moves"
    assert [one.organizations * abs(log(one.new / one.old)) for one in found] == pytest.approx(
        [size for size, _ in first[:MOST_MOVES]]
    )
    assert [one.code for one in found] == [number for _, number in first[:MOST_MOVES]]
