"""Labs, drugs, and equipment from a payer's file and CMS's files to a percent of Medicare."""

from pathlib import Path

from core.demo.item_fees import write_item_fees
from core.demo.item_rates import write_item_rates
from core.demo.physician_fees import write_physician_fees
from core.load.load_file import load_file
from core.queries.comparison.compared_rates import compared_sql
from core.reference.benchmark_kinds import load_benchmark
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests.stores import open_snapshot


def test_each_item_is_compared_with_the_schedule_that_pays_it(store: Store, tmp_path: Path) -> None:
    load_file(store, open_documents(write_item_rates(tmp_path))[0], "GA")
    load_benchmark(store, "medicare_prof", write_physician_fees(tmp_path))
    for kind, files in write_item_fees(tmp_path).items():
        load_benchmark(store, kind, files)
    rows = open_snapshot(store).rows(
        f"""{compared_sql("true")}
            SELECT code, billing_code_modifier, coalesce(basis, reason), medicare, detail FROM compared ORDER BY ALL"""
    )
    assert rows == [
        ("36415", "", "CLFS", 9.09, None),
        ("80053", "", "CLFS", 10.56, None),
        ("80053", "QW", "CLFS", 10.56, None),
        ("80061", "", "CLFS", 13.39, None),
        ("83036", "QW", "CLFS", 9.71, None),
        ("85025", "", "CLFS", 7.77, None),
        ("87880", "QW", "CLFS", 16.53, None),
        ("B4150", "", "DMEPOS", 0.47, "PEN"),
        ("E0143", "", "unit not stated", None, None),
        ("E0143", "NU", "DMEPOS, modifier NU", 59.29, "category IN"),
        ("E0143", "RR", "DMEPOS, modifier RR", 5.93, "category IN"),
        ("E0601", "KX,RR", "DMEPOS, modifier RR", 50.58, "category CR"),
        ("J1100", "", "ASP", 0.108, "per 1 MG"),
        ("J1885", "", "ASP", 0.751, "per 15 MG"),
        ("J3301", "JZ", "ASP", 0.898, "per 10 MG"),
        ("L1833", "LT", "DMEPOS", 541.68, "category PO"),
    ]
