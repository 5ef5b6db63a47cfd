"""What a profile keeps of the training rows, and how a batch is counted over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.models.errors import DriftError
from mlops.monitoring import build_baseline, load_baseline_statistics, merge, profile_batch
from mlops.monitoring.verdict.compared_counts import bin_counts


def reference_bins(values: np.ndarray) -> list[int]:
    baseline = build_baseline(pd.DataFrame({"x": values}))
    profile = baseline.features["x"]
    return bin_counts(profile, profile.counts).tolist()


def test_a_continuous_feature_is_cut_at_its_deciles():
    assert reference_bins(np.random.default_rng(0).normal(size=1000)) == [100] * 10


def test_an_outlier_in_the_training_rows_does_not_hide_the_bins():
    values = np.random.default_rng(0).normal(size=1000)
    values[0] = 1e6
    assert reference_bins(values) == [100] * 10


def test_a_value_of_more_than_a_tenth_of_the_rows_has_a_bin_of_its_own():
    values = np.concatenate([np.zeros(600), np.random.default_rng(0).normal(5, 1, 400)])
    assert 600 in reference_bins(values)


def test_twenty_distinct_values_are_a_bin_each_and_a_last_one_for_others():
    bins = reference_bins(np.repeat(np.arange(20.0), 7))
    assert bins == [7] * 20 + [0]


def test_levels_of_one_percent_are_bins_and_the_rest_is_one():
    column = ["a"] * 500 + ["b"] * 490 + ["x"] * 6 + ["y"] * 4
    profile = build_baseline(pd.DataFrame({"c": column})).features["c"]
    assert profile.levels == ("a", "b")
    assert profile.counts == (500, 490, 10)
    assert profile.rare_levels == ("x", "y")


def test_at_most_fifty_levels_are_bins():
    profile = build_baseline(pd.DataFrame({"c": [f"L{i:02d}" for i in range(60)] * 20})).features["c"]
    assert len(profile.levels) == 50
    assert profile.counts[-1] == 200


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("code", [f"P{i:05d}" for i in range(500)]),
        ("patient_id", [31 * i % 9973 for i in range(500)]),
        ("row", list(range(500))),
        ("shuffled", np.random.default_rng(0).permutation(500).tolist()),
    ],
)
def test_columns_like_an_id_are_left_out_and_said_so(name: str, values: list[object]):
    baseline = build_baseline(pd.DataFrame({name: values, "x": np.arange(500) % 7}))
    assert name not in baseline.features
    assert baseline.excluded[name].startswith("like an id")


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=500),
        np.random.default_rng(0).integers(0, 10**6, 500),
        np.random.default_rng(0).permutation(60) + 20,
    ],
    ids=["fractions", "whole numbers", "ages of a few persons"],
)
def test_measurements_that_nearly_all_differ_are_watched(values: np.ndarray):
    assert "income" in build_baseline(pd.DataFrame({"income": values})).features


def test_columns_that_are_not_features_are_remembered_and_so_not_reported_later():
    frame = pd.DataFrame({"x": [1.0, 2.0], "outcome": [0, 1]})
    baseline = build_baseline(frame, features=["x"])
    assert baseline.excluded == {"outcome": "not a feature of the model"}
    assert profile_batch(frame.assign(surprise=1), baseline).extra_columns == {"surprise": 2}


def test_a_feature_that_is_not_a_column_is_refused():
    with pytest.raises(DriftError, match="no column 'y'"):
        build_baseline(pd.DataFrame({"x": [1.0]}), features=["y"])


def test_one_and_one_point_zero_are_the_same_category():
    baseline = build_baseline(pd.DataFrame({"c": [1, 2, 1, 2]}), kinds={"c": "categorical"})
    assert profile_batch(pd.DataFrame({"c": [1.0, 2.0, None]}), baseline).features["c"].counts == (1, 1, 0)
    assert profile_batch(pd.DataFrame({"c": ["1", "2"]}), baseline).features["c"].counts == (1, 1, 0)


def test_numbers_as_text_are_numbers_and_words_among_them_are_counted():
    baseline = build_baseline(pd.DataFrame({"x": np.arange(100.0) / 7}))
    counted = profile_batch(pd.DataFrame({"x": ["1", "2.5", "oops", None]}), baseline).features["x"]
    assert (sum(counted.counts), counted.n_missing, counted.n_retyped) == (2, 2, 1)


def test_category_columns_count_like_text_columns():
    text = pd.DataFrame({"c": ["a", "b", "a", "new", None]})
    baseline = build_baseline(pd.DataFrame({"c": ["a", "b"] * 50}))
    assert profile_batch(text.astype("category"), baseline) == profile_batch(text, baseline)
    assert profile_batch(text, baseline).features["c"].new_levels == {"new": 1}


def test_nullable_columns_count_like_plain_ones():
    plain = pd.DataFrame({"x": [1.0, 2.0, None], "c": ["a", None, "b"]})
    baseline = build_baseline(pd.DataFrame({"x": [1.0, 2.0] * 9, "c": ["a", "b"] * 9}))
    assert profile_batch(plain.convert_dtypes(), baseline) == profile_batch(plain, baseline)


def test_batches_of_different_baselines_do_not_add_up():
    one, two = (build_baseline(pd.DataFrame({"x": np.arange(100.0) / k})) for k in (7, 9))
    frame = pd.DataFrame({"x": [1.0]})
    with pytest.raises(DriftError, match="same baseline"):
        merge(profile_batch(frame, one), profile_batch(frame, two))


def test_a_baseline_is_read_from_its_file_or_its_directory(tmp_path: Path):
    baseline = build_baseline(pd.DataFrame({"x": np.arange(100.0)}))
    (tmp_path / "baseline_statistics.json").write_text(baseline.to_json())
    assert load_baseline_statistics(tmp_path) == baseline
    assert load_baseline_statistics(str(tmp_path / "baseline_statistics.json")) == baseline


@pytest.mark.parametrize("content", [None, "[]", "{}", "not json"])
def test_what_is_not_a_baseline_is_refused_with_its_path(tmp_path: Path, content: str | None):
    path = tmp_path / "b.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(DriftError, match=r"b\.json"):
        load_baseline_statistics(path)


def imported_of(candidates: set[str], *modules: str) -> set[str]:
    """Return which of the candidates a fresh interpreter has loaded after importing the modules."""
    code = f"import sys, {', '.join(modules)}; print(*{candidates!r} & set(sys.modules))"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return set(done.stdout.split())


def test_the_records_and_the_command_import_without_numpy():
    modules = ("mlops.models.drift", "mlops.monitoring", "mlops.cli.files.drift")
    assert imported_of({"numpy", "pandas", "boto3"}, *modules) == set()


def test_the_nightly_check_needs_neither_scipy_nor_scikit_learn():
    modules = ("mlops.use_cases.drift.check_drift", "mlops.infrastructure.notifications")
    assert imported_of({"scipy", "sklearn"}, *modules) == set()


class Unreadable:
    """A cell that no one may read."""

    def __hash__(self) -> int:
        raise AssertionError("the cell was read")


def test_a_baseline_reads_no_column_but_its_features():
    frame = pd.DataFrame({"age": np.arange(100.0) // 2, "photo": [Unreadable() for _ in range(100)]})
    baseline = build_baseline(frame, features=["age"])
    assert [*baseline.features] == ["age"]
    assert baseline.excluded == {"photo": "not a feature of the model"}
