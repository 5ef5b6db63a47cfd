"""What a nightly report says of the views of a model."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mlops.feature_store.definitions import FeatureService, ValueType
from mlops.feature_store.freshness import ViewFreshness
from mlops.models.settings.columns import FeatureSettings
from tests.unit.feature_store.conftest import NOW, a_view, day, write_csv


def test_each_view_of_the_service_has_a_sentence_about_its_newest_value(store, tmp_path):
    vitals = replace(a_view("vitals"), expected_every=timedelta(days=19))
    labs = a_view("labs", ldl=ValueType.FLOAT64)
    store.apply([vitals, labs, a_view("others"), FeatureService("adherence_v1", [vitals, labs])])
    freshness = ViewFreshness(store.definition_store, store.offline.states)
    model = FeatureSettings("adherence_v1", 1)
    store.apply([replace(vitals, expected_every=timedelta(days=18))])  # what is defined now counts
    store.ingest("vitals", write_csv(tmp_path / "v.csv", [{"patient_id": "A", "at": day(11), "bmi": 1}]))
    first, second = freshness.describe(model, NOW - timedelta(hours=12))
    assert first == "The view vitals has 1 row, the newest value is of 2026-02-11 00:00 UTC."
    assert second == "The view labs has no values."
    stale = "2026-02-11 00:00 UTC, which is older than its definition allows."
    assert freshness.describe(model, NOW)[0].endswith(stale)


def test_a_model_without_a_service_or_with_one_of_another_store_is_no_fault(store):
    freshness = ViewFreshness(store.definition_store, store.offline.states)
    assert freshness.describe(FeatureSettings(), NOW) == ()
    (sentence,) = freshness.describe(FeatureSettings("adherence_v1", 1), NOW)
    assert "There is no feature view or service 'adherence_v1'" in sentence
