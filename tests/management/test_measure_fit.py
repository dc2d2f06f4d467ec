"""Loading rates or schedules measures how well they fit, and dq_check tells of labels that do not."""

import json
from pathlib import Path

from core.demo.hospital_fees import write_hospital_fees
from core.demo.physician_fees import write_physician_fees
from core.management.measure_fit import may_find_fits
from core.reference.benchmark_kinds import load_benchmark
from core.store.generations.retention.kept import kept_generations
from core.store.generations.store import Store
from core.store.upkeep.backup import back_up
from core.store.upkeep.rollback import roll_back
from tests.fixture_types import Load, Manage
from tests.load.npi_states import place
from tests.rate_files import file_of, item_of
from tests.stores import open_snapshot, table


def test_a_mislabeled_file_is_found_whichever_is_loaded_first(manage: Manage, root: Path, tmp_path: Path) -> None:
    store = Store(root)
    schedules = tmp_path / "schedules"
    schedules.mkdir()
    hospital = write_hospital_fees(schedules)
    load_benchmark(store, "medicare_prof", write_physician_fees(schedules))
    load_benchmark(store, "opps", hospital["opps"])
    amounts = open_snapshot(store).rows(
        """SELECT p.code, p.medicare_prof_rate FROM bench_medicare_prof p
           JOIN bench_opps o USING (state, year_month, code)
           WHERE state = 'GA' AND year_month = '2025-08' AND medicare_prof_rate > 0 AND opps_mar_stateavg > 0"""
    )
    assert len(amounts) >= 5
    price = {"negotiated_type": "negotiated", "billing_class": "institutional", "service_code": []}
    items = [item_of(price | {"negotiated_rate": round(1.3 * amount, 2)}, code=code) for code, amount in amounts]
    path = tmp_path / "2025-08-01_payer.json"
    path.write_text(json.dumps(file_of(*items)))

    loaded = manage("ingest_mrf", "--state", "GA", path)
    assert loaded.returncode == 0, loaded.stderr
    fits = table(store, "schedule_fit")
    assert fits.select("schedule", "of_label", "chosen").rows() == [("mpfs", False, True), ("opps", True, False)]
    checked = manage("dq_check", "--fail-on", "warning")
    assert checked.returncode == 1
    assert f"FAIL warning  class_labels          {len(amounts):>12,} of {len(amounts):>12,}" in checked.stdout

    # A schedule that has nothing to do with the other changes nothing; without one of the two there is nothing to say.
    again = manage("load_benchmark", "asc", *hospital["asc"])
    assert again.returncode == 0, again.stderr
    assert table(store, "schedule_fit").rows() == fits.rows()

    # A correction is measured too: without the rates that decided it, the label stands, until they are put back.
    half = ("--code", amounts[0][0], "--reason", "a test")
    assert manage("correct_rates", *half).returncode == 0
    assert set(table(store, "schedule_fit")["rates"]) == {len(amounts) - 1}
    assert manage("correct_rates", "--undo", "1").returncode == 0
    assert table(store, "schedule_fit").rows() == fits.rows()

    # A load is one generation and its measurement the next: who goes back between them has it measured, too.
    unmeasured = next(
        one for one in kept_generations(root) if one.rows("fact_rate") and not one.rows("schedule_fit")
    ).generation
    assert manage("store", "rollback", unmeasured).returncode == 0
    assert table(store, "schedule_fit").rows() == fits.rows()
    roll_back(store, unmeasured)
    back_up(store, tmp_path / "backup")
    assert table(store, "schedule_fit").is_empty()
    assert manage("store", "restore", tmp_path / "backup", "--force").returncode == 0
    assert table(store, "schedule_fit").rows() == fits.rows()


def test_a_schedule_that_arrives_later_measures_what_is_loaded(manage: Manage, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "2025-08-01_payer.json"
    price = {"negotiated_type": "negotiated", "billing_class": "professional", "service_code": ["11", "22"]}
    path.write_text(
        json.dumps(file_of(*(item_of(price | {"negotiated_rate": 100.0}, code=c) for c in ("99213", "70450"))))
    )
    hospital = write_hospital_fees(tmp_path)
    assert manage("ingest_mrf", "--state", "GA", path).returncode == 0
    assert manage("load_benchmark", "medicare_prof", *write_physician_fees(tmp_path)).returncode == 0
    assert table(Store(root), "schedule_fit").is_empty()
    assert manage("load_benchmark", "opps", *hospital["opps"]).returncode == 0
    assert table(Store(root), "schedule_fit").select("places", "codes").rows() == [("other", 1), ("other", 1)]


def test_without_schedules_and_specialties_there_is_nothing_to_measure(
    store: Store, load: Load, tmp_path: Path
) -> None:
    assert not may_find_fits(store)
    load(file_of(item_of(1, references=[1]), provider_references=[{"provider_group_id": 1, "provider_groups": [
        {"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}]}]))  # fmt: skip
    assert not may_find_fits(store)
    place(store, npi1912951245="GA")
    assert not may_find_fits(store), "an address alone tells no specialty"
    load_benchmark(store, "medicare_prof", write_physician_fees(tmp_path))
    assert may_find_fits(store)
