"""A compiled model says what the scikit-learn pipeline says that it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import threadpoolctl

from mlops.models.errors import ArtifactError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.artifact_files import COMPILED
from mlops.pipelines.artifacts.model import Model, align, cells_of
from mlops.pipelines.compiled import storage
from mlops.pipelines.compiled.compilation import TOLERANCE, compile_pipeline, largest_difference
from mlops.pipelines.compiled.outputs import Calibration, Decision
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model

ALGORITHMS = (
    "LogisticRegression",
    "RandomForest",
    "ExtraTrees",
    "HistGradientBoosting",
    "XGBoost",
)
NUMBERS = ("predicted", "interval_low", "interval_high")
QUICK = {
    "RandomForest": {"n_estimators": 25},
    "ExtraTrees": {"n_estimators": 25},
    "HistGradientBoosting": {"max_iter": 40},
    "XGBoost": {"n_estimators": 40},
}


def a_frame(n_rows: int, task: str, seed: int = 0) -> pd.DataFrame:
    """Return numbers with gaps, few categories, many categories, texts, and a target that depends on all."""
    rng = np.random.default_rng(seed)
    level = rng.integers(90, size=n_rows)
    region = rng.integers(4, size=n_rows)
    numbers = rng.normal(size=(n_rows, 3))
    signal = numbers[:, 0] - 0.5 * numbers[:, 1] + rng.normal(size=90)[level] + 0.4 * region
    labels = {
        "binary": np.where(signal + rng.normal(size=n_rows) > 0, "yes", "no"),
        "multiclass": np.array(["low", "middle", "high", "top"])[np.digitize(signal, [-1.0, 0.5, 1.5])],
        "regression": (100 * signal + rng.normal(size=n_rows)).round(3),
    }
    frame = pd.DataFrame(numbers, columns=["dose", "weight", "age"])
    frame["dose"] = frame["dose"].mask(rng.random(n_rows) < 0.1)
    frame["visits"] = rng.integers(0, 12, n_rows)
    frame["region"] = pd.Series(np.array(["north", "south", "east", "west"])[region]).mask(
        rng.random(n_rows) < 0.05
    )
    frame["clinic"] = [f"clinic {number:02d}" for number in level]
    words = np.array(["came", "walked", "again", "with", "slept", "late", "well"])[
        rng.integers(7, size=(n_rows, 4))
    ]
    words[:, 0] = np.array(["mild", "some", "strong"])[np.digitize(signal, [-0.5, 1.0])]
    frame["note"] = pd.Series([" ".join(row) for row in words]).mask(rng.random(n_rows) < 0.05)
    return frame.assign(outcome=labels[task])


def fitted(algorithm: str, task: str, **hyperparameters: int) -> Model:
    if task == "regression" and algorithm == "LogisticRegression":
        algorithm = "Ridge"
    settings = GroupSettings(
        target="outcome",
        algorithm=algorithm,
        hyperparameters=hyperparameters or QUICK.get(algorithm, {}),
        task=task,
        text_columns=("note",),
    )
    return fit_model(prepare_rows(a_frame(1_200, task), settings), None).model


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of HistGradientBoosting wait for each other actively, which takes minutes on a busy machine."""
    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.fixture(
    scope="module", params=[(a, t) for a in ALGORITHMS for t in ("binary", "multiclass", "regression")]
)
def model(request) -> Model:
    return fitted(*request.param)


def new_rows(model: Model, n_rows: int = 4_000) -> pd.DataFrame:
    """Return rows with categories and gaps that the training did not have."""
    frame = a_frame(n_rows, "binary", seed=7).drop(columns="outcome")
    rng = np.random.default_rng(8)
    frame["clinic"] = frame["clinic"].mask(rng.random(n_rows) < 0.05, "clinic that was built since")
    frame["clinic"] = frame["clinic"].mask(rng.random(n_rows) < 0.05)
    for name in ("weight", "age", "visits"):
        frame[name] = frame[name].mask(rng.random(n_rows) < 0.05)
    frame.loc[0, ["dose", "weight"]] = [1e30, -1e30]
    frame["note"] = frame["note"].mask(rng.random(n_rows) < 0.05, "a Word of no other row, strong")
    frame["note_words"] = 4.0
    aligned, _ = align(frame, model.schema.features)
    return aligned


def test_the_results_are_those_of_the_pipeline(model: Model) -> None:
    aligned = new_rows(model)
    compiled = compile_pipeline(model.pipeline)

    assert compiled is not None
    expected = Model(model.schema, model.pipeline).score_aligned(aligned)
    actual = Model(model.schema, compiled=compiled).score_aligned(aligned)
    for name in ("probabilities",) if expected.probabilities is not None else NUMBERS:
        # the ends of an interval follow the prediction with a slope of their own
        tolerance = TOLERANCE if name in ("predicted", "probabilities") else 3 * TOLERANCE
        assert largest_difference(getattr(expected, name), getattr(actual, name)) < tolerance
    if model.schema.labels:
        np.testing.assert_array_equal(actual.predicted, expected.predicted)


@pytest.mark.parametrize(
    ("algorithm", "hyperparameters"),
    [("HistGradientBoosting", {"max_iter": 300}), ("ExtraTrees", {"n_estimators": 300})],
)
def test_sums_of_many_trees_are_as_exact_as_those_of_few(
    algorithm: str, hyperparameters: dict[str, int]
) -> None:
    model = fitted(algorithm, "regression", **hyperparameters)
    aligned = new_rows(model)
    compiled = compile_pipeline(model.pipeline)
    assert compiled is not None
    expected, actual = model.pipeline.predict(aligned), compiled.predict(cells_of(aligned))
    assert largest_difference(expected, actual) < TOLERANCE


def test_no_label_is_another_one(model: Model) -> None:
    aligned = new_rows(model)
    compiled = compile_pipeline(model.pipeline)
    assert compiled is not None

    for decision in decisions(model.schema.task, len(model.schema.labels)):
        expected = decision.classes(model.pipeline.predict_proba(aligned))
        shares = compiled.predict_probabilities(cells_of(aligned), decision)
        np.testing.assert_array_equal(decision.classes(shares), expected)


def decisions(task: str, n_labels: int) -> list[Decision]:
    """Return several ways to decide a task of so many labels."""
    if task == "regression":
        return []
    costs = tuple(
        tuple(float(abs(true - predicted) ** 2) for predicted in range(n_labels)) for true in range(n_labels)
    )
    calibration = Calibration((0.7,) * n_labels, tuple(0.3 * label for label in range(n_labels)))
    by_cost = [Decision(costs=costs), Decision(costs=costs, calibration=calibration)]
    return [Decision(), *([Decision(0.4), Decision(0.25)] if n_labels == 2 else by_cost)]


def test_a_stored_model_says_the_same_to_the_last_bit(model: Model, tmp_path: Path) -> None:
    aligned = new_rows(model, 300)
    compiled = compile_pipeline(model.pipeline)
    assert compiled is not None

    storage.save(compiled, tmp_path)
    loaded = storage.load(tmp_path)

    assert loaded is not None
    np.testing.assert_array_equal(loaded.form.raw(cells_of(aligned)), compiled.form.raw(cells_of(aligned)))


def test_one_row_is_scored_as_among_others(model: Model) -> None:
    aligned = new_rows(model, 60)
    compiled = compile_pipeline(model.pipeline)
    assert compiled is not None

    together = compiled.form.raw(cells_of(aligned))
    one_by_one = [compiled.form.raw(cells_of(aligned.iloc[[row]]))[0] for row in range(len(aligned))]

    np.testing.assert_array_equal(np.vstack(one_by_one), together)


def test_ties_at_the_threshold_are_decided_as_in_64_bits() -> None:
    """Shares of a small forest are multiples of one tree's; a threshold on one of them is hit exactly."""
    model = fitted("RandomForest", "binary")
    aligned = new_rows(model)
    expected = model.pipeline.predict_proba(aligned)
    compiled = compile_pipeline(model.pipeline)
    assert compiled is not None

    for threshold in np.unique(expected[:, 1])[:200:5]:
        decision = Decision(threshold)
        shares = compiled.predict_probabilities(cells_of(aligned), decision)
        np.testing.assert_array_equal(decision.classes(shares), decision.classes(expected))


def test_a_pipeline_of_another_form_is_not_compiled() -> None:
    model = fitted("RandomForest", "binary")
    model.pipeline.named_steps["preprocessing"].transformers_.append(("other", "passthrough", ["age"]))

    assert compile_pipeline(model.pipeline) is None


def test_without_the_library_of_xgboost_trees_are_neither_compiled_nor_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = fitted("RandomForest", "binary")
    compiled = compile_pipeline(model.pipeline)
    assert compiled is not None
    storage.save(compiled, tmp_path)

    monkeypatch.setattr("mlops.pipelines.compiled.booster._LIBRARIES", ())

    assert compile_pipeline(model.pipeline) is None
    assert storage.load(tmp_path) is None


@pytest.mark.parametrize("damage", [b"", b"no archive", b"PK\x03\x04"])
def test_damaged_files_are_named(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / COMPILED).write_bytes(damage)

    with pytest.raises(ArtifactError, match="cannot be read"):
        storage.load(tmp_path)


def test_a_directory_without_a_compiled_model_has_none(tmp_path: Path) -> None:
    assert storage.load(tmp_path) is None
