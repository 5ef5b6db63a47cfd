"""The feature store on the deployed application: applied, dropped, materialised, read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.stack import DeployedStack
from tests.e2e.approvals import run_mlops
from tests.e2e.feature_walk import FeatureWalk

pytestmark = pytest.mark.e2e


def test_dropped_values_are_stored_once_and_read_as_of_a_time(
    stack: DeployedStack, featured: FeatureWalk, tmp_path: Path
) -> None:
    assert "3 rows of 3 rows stored" in featured.stored_mail["body"]
    assert {key.split("/")[2] for key in stack.keys("features/vitals/")} == {
        "date=2026-02-01",
        "date=2026-02-10",
    }
    path = tmp_path / "patients.csv"
    path.write_text("patient_id,event_timestamp\nA,2026-02-05T00:00:00Z\nA,2026-02-11T00:00:00Z\n")
    rows = json.loads(run_mlops(stack, "features", "history", "vitals:bmi", str(path), "--json"))
    assert [row["bmi"] for row in rows] == [20.5, 21.5]
    words = ("features", "history", "vitals:bmi", str(path), "--json", "--engine", "athena")
    assert json.loads(run_mlops(stack, *words)) == rows


def test_a_file_that_does_not_fit_is_in_quarantine(stack: DeployedStack, featured: FeatureWalk) -> None:
    assert "bmi is not a value of the type Float64" in featured.refused_mail["body"]
    assert len(stack.keys("quarantine/_features/")) == 3


def test_the_schedule_copies_the_newest_values_into_the_online_store(
    stack: DeployedStack, featured: FeatureWalk
) -> None:
    (view,) = featured.materialized["views"]
    assert (view["view"], view["n_rows"], view["n_written"], view["is_stale"]) == ("vitals", 3, 2, True)
    words = ("features", "get", "vitals:bmi", "patient_id=A", "patient_id=B", "patient_id=C", "--json")
    answer = json.loads(run_mlops(stack, *words))
    assert answer["values"]["bmi"] == [21.5, None, None]
    assert answer["statuses"]["bmi"] == ["PRESENT", "PRESENT", "NOT_FOUND"]
    assert "stale" in run_mlops(stack, "features", "list")
