"""Drift within segments: found where all rows hide it, rarely said without it, and added up over batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.drift.report import DriftReport
from mlops.monitoring import DriftDetector, build_baseline, merge, profile_batch, render, render_text
from mlops.monitoring.profiles.segments import MAX_SEGMENTS, find_segments, with_segments

SITES = ["north", "south", "east"]
FEATURES = ["age", "dose", "kind"]
IMPORTANCE = {"age": 0.5, "dose": 0.4, "kind": 0.1}


def a_frame(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "site": rng.choice(SITES, rows, p=[0.6, 0.3, 0.1]),
            "weight": rng.normal(80, 14, rows),
            "age": rng.normal(50, 10, rows),
            "dose": rng.gamma(4, 5, rows),
            "kind": rng.choice(["a", "b", "c"], rows),
        }
    )


def said(frame: pd.DataFrame, *, more: float = 0.0) -> pd.DataFrame:
    """Return what a model says of the rows: the probability rises with age."""
    odds = (frame["age"] - 50) / 10 + more
    return pd.DataFrame({"probability_yes": 1 / (1 + np.exp(-odds))})


@pytest.fixture(scope="module")
def baseline() -> BaselineStatistics:
    training, held_out = a_frame(4000, 0), a_frame(2000, 1)
    plain = build_baseline(training, features=FEATURES, importance=IMPORTANCE, outputs=said(held_out))
    columns, outputs = ["site", "weight"], said(held_out)
    return with_segments(plain, training, columns, held_out=held_out, outputs=outputs)


def judged(baseline: BaselineStatistics, frame: pd.DataFrame) -> DriftReport:
    return DriftDetector(baseline).detect_drift(profile_batch(frame, baseline, outputs=said(frame)))


def in_east(change: Callable[[pd.Series], pd.Series], name: str = "dose") -> pd.DataFrame:
    frame = a_frame(2000, 2)
    return frame.assign(**{name: frame[name].where(frame["site"] != "east", change(frame[name]))})


def test_levels_and_quartiles_of_numbers_are_segments(baseline: BaselineStatistics):
    sites = [segment.name for segment in baseline.segments if segment.column == "site"]
    assert sites == [f"site: {site}" for site in SITES]
    quartiles = [segment for segment in baseline.segments if segment.column == "weight"]
    assert [segment.value.split()[0] for segment in quartiles][::3] == ["below", "from"]
    assert sum(segment.reference.n_rows for segment in quartiles) == 4000


def test_the_number_of_segments_is_bounded_and_small_ones_are_left_out():
    frame = pd.DataFrame({"site": np.repeat([f"s{n:02}" for n in range(30)], [300] * 25 + [99] * 5)})
    assert len(find_segments(frame, ["site"])) == MAX_SEGMENTS
    assert find_segments(frame[7600:], ["site"]) == []


def test_the_same_population_is_ok_in_every_segment(baseline: BaselineStatistics):
    report = judged(baseline, a_frame(2000, 3))
    assert report.verdict == "OK"
    assert {segment.verdict for segment in report.segments} == {"OK"}


def test_another_unit_in_one_site_alerts_and_is_named(baseline: BaselineStatistics):
    report = judged(baseline, in_east(lambda dose: dose * 1000))
    assert report.segments[0].name == "site: east"
    assert report.segments[0].faults == ("dose",)
    assert report.verdict == "ALERT"


def test_a_change_that_all_rows_hide_warns_in_its_segment(baseline: BaselineStatistics):
    report = judged(baseline, in_east(lambda kind: kind.where(kind != "a", "b"), "kind"))
    assert report.features_with_drift == ()
    assert (report.verdict, report.reasons) == ("WARN", ("changed in a segment: kind of site: east",))
    assert 0.1 <= report.drift_score < 0.2
    text, page = render_text(report), render(report)
    assert "site: east (" in text
    assert "in site: east alone" in page
    assert "Segments have the same rule" in report.rule


def test_a_column_that_is_empty_in_one_site_alerts(baseline: BaselineStatistics):
    report = judged(baseline, in_east(lambda dose: dose.mask(dose.notna())))
    assert report.segments[0].faults == ("dose",)
    assert report.verdict == "ALERT"


def test_changed_predictions_are_said_to_be_in_their_segment(baseline: BaselineStatistics):
    frame = a_frame(2000, 4)
    outputs = said(frame).where(frame["site"] != "south", said(frame, more=2.0))
    report = DriftDetector(baseline).detect_drift(profile_batch(frame, baseline, outputs=outputs))
    assert report.predictions_with_drift == ("probability_yes",)
    (south,) = [segment for segment in report.segments if segment.name == "site: south"]
    is_south = frame["site"] == "south"
    change = outputs["probability_yes"][is_south].mean() - south.mean_before
    assert south.effect_on_mean == pytest.approx(is_south.mean() * change)
    assert "- site: south, " in render_text(report)


def test_scored_rows_are_those_of_their_segment(baseline: BaselineStatistics):
    frame = a_frame(500, 5)
    is_scored = np.arange(500) % 3 > 0
    profile = profile_batch(
        frame, baseline, outputs=said(frame)[is_scored].reset_index(drop=True), is_scored=is_scored
    )
    north = profile.segments["site: north"]
    assert north.n_rows == (frame["site"] == "north").sum()
    expected = said(frame)["probability_yes"][is_scored & (frame["site"] == "north")]
    assert north.mean("probability_yes") == pytest.approx(expected.mean())


def test_segments_of_two_batches_add_up(baseline: BaselineStatistics):
    first, second = a_frame(300, 6), a_frame(400, 7)
    both = pd.concat([first, second], ignore_index=True)
    added = merge(*(profile_batch(each, baseline, outputs=said(each)) for each in (first, second)))
    together = profile_batch(both, baseline, outputs=said(both))
    assert added.segments.keys() == together.segments.keys()
    for name, counts in together.segments.items():
        assert added.segments[name].features == counts.features
        assert added.segments[name].mean("probability_yes") == pytest.approx(counts.mean("probability_yes"))
    assert BatchProfile.from_json(added.to_json()) == added


def test_a_batch_without_the_column_and_a_profile_of_before_have_no_segments(baseline: BaselineStatistics):
    frame = a_frame(300, 8).drop(columns="site")
    profile = profile_batch(frame, baseline)
    assert {name.split(":")[0] for name in profile.segments} == {"weight"}
    document = profile.to_dict()
    del document["segments"]
    assert DriftDetector(baseline).detect_drift(BatchProfile.from_dict(document)).segments == ()


def test_columns_left_out_are_left_out_in_segments(baseline: BaselineStatistics):
    detector = DriftDetector(baseline, exclude_columns=["dose"])
    assert detector.detect_drift(in_east(lambda dose: dose * 1000)).verdict == "OK"


def test_segments_say_nothing_in_nearly_all_checks_without_drift(baseline: BaselineStatistics):
    reports = [judged(baseline, a_frame(rows, 100 + seed)) for rows in (400, 2000) for seed in range(50)]
    assert sum(report.verdict != "OK" for report in reports) <= 3


def test_the_features_of_a_segment_have_the_order_of_the_importance():
    training = a_frame(400, 0).assign(
        **{f"extra_{number}": np.arange(400) % (number + 2) for number in range(6)}
    )
    features = [*FEATURES, *(f"extra_{number}" for number in range(6))]
    plain = build_baseline(training, features=features, importance=dict.fromkeys(features, 1.0) | IMPORTANCE)
    ranked = sorted(plain.features.values(), key=lambda profile: -(profile.importance or 0.0))
    stored = with_segments(plain, training, ["site"], held_out=training, outputs=said(training))
    expected = [profile.name for profile in ranked]
    assert [list(segment.reference.features) for segment in stored.segments] == [expected] * len(
        stored.segments
    )
