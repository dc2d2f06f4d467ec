"""Payers of a code whose every contract has expired."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from core.queries.expired_contracts import list_expired_contracts, list_expired_payers
from core.queries.market.market_rates import market_cache
from tests.queries.one_market import MARKET, store_of_market


def test_a_payer_is_named_if_all_of_its_contracts_have_expired(tmp_path: Path) -> None:
    days: dict[str, list[str | None]] = {
        "Old": ["2025-07-31", "2025-06-30"],
        "Mixed": ["2025-07-31", "2025-08-31"],
        "Open": ["2025-07-31", None],
    }
    rates = [
        {"reporting_entity_name": payer, "expiration_date": day, "group": at}
        for payer, some in days.items()
        for at, day in enumerate(some)
    ]
    other_code = {"reporting_entity_name": "Old", "expiration_date": None, "code": "99214"}
    db = store_of_market(tmp_path, *rates, other_code)
    for today, expired in (
        (date(2025, 7, 31), []),
        (date(2025, 8, 1), [("Old", "2025-07-31")]),
        (date(2025, 9, 1), [("Mixed", "2025-08-31"), ("Old", "2025-07-31")]),
    ):
        with market_cache(db, MARKET) as cached:
            for asked in (db, cached):
                found = list_expired_contracts(asked, MARKET, today)
                assert [(one.reporting_entity_name, one.expires) for one in found] == expired


def test_a_payer_is_named_for_all_codes_only_if_no_code_has_a_contract_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = [
        {"reporting_entity_name": payer, "expiration_date": day, "code": code}
        for payer, code, day in (
            ("Old", "99213", "2025-06-30"), ("Old", "99214", "2025-07-31"),
            ("Mixed", "99213", "2025-06-30"), ("Mixed", "99214", None),
        )
    ]  # fmt: skip
    db = store_of_market(tmp_path, *rates)
    whole = replace(MARKET, code_type=None, code=None)
    for market in (whole, MARKET, replace(whole, payer="old")):
        for today, expected in ((date(2025, 7, 31), []), (date(2025, 8, 1), [("Old", "2025-07-31")])):
            found = list_expired_payers(db, market, today)
            assert [(one.reporting_entity_name, one.expires) for one in found] == expected
    assert list_expired_payers(db, replace(whole, payer="mixed"), date(2025, 8, 1)) == []
    monkeypatch.setattr(db, "limits", replace(db.limits, whole_rates=3))
    assert list_expired_payers(db, whole, date(2025, 8, 1)) == []
