"""The reasons of a row add up to what the model says of it, and are those of the libraries."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import threadpoolctl
import xgboost

from mlops.models.errors import SettingsError
from mlops.models.scoring.reason import Reason, reasons_of_cell
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.monitoring.profiles.baseline import load_baseline_statistics
from mlops.pipelines.artifact_files import COMPILED
from mlops.pipelines.artifacts import artifacts
from mlops.pipelines.artifacts.model import Model, align, cells_of
from mlops.pipelines.compiled import storage
from mlops.pipelines.compiled.column_groups import ColumnGroups
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import fit_model
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.scoring.reasons import NO_REASONS, Explainer, Reasons, without_rounding
from mlops.pipelines.training_pipeline import TrainingPipeline

TASKS = ("binary", "multiclass", "regression")
QUICK: dict[str, dict[str, Any]] = {
    "LogisticRegression": {},
    "Ridge": {},
    "RandomForest": {"n_estimators": 8},
    "ExtraTrees": {"n_estimators": 8},
    "HistGradientBoosting": {"max_iter": 8},
    "XGBoost": {"n_estimators": 12},
}
COLUMNS = ("dose", "age", "region", "clinic")


def a_frame(task: str, n_rows: int = 600, seed: int = 0, n_clinics: int = 60) -> pd.DataFrame:
    """Return numbers with gaps, a few categories, many categories, and a target that depends on all."""
    rng = np.random.default_rng(seed)
    clinic, region = rng.integers(n_clinics, size=n_rows), rng.integers(3, size=n_rows)
    numbers = rng.normal(size=(n_rows, 2))
    signal = numbers[:, 0] - 0.5 * numbers[:, 1] + np.sin(clinic) + 0.6 * region
    target = {
        "binary": np.where(signal > 0.5, "yes", "no"),
        "multiclass": np.array(["low", "middle", "high"])[np.digitize(signal, [0.0, 1.2])],
        "regression": (100 * signal).round(3),
    }
    frame = pd.DataFrame(numbers, columns=["dose", "age"]).mask(rng.random((n_rows, 2)) < 0.1)
    frame["region"] = pd.Series(np.array(["north", "south", "east"])[region]).mask(rng.random(n_rows) < 0.05)
    frame["clinic"] = [f"clinic {number:02d}" for number in clinic]
    return frame.assign(outcome=target[task])


def fitted(algorithm: str, task: str, n_clinics: int = 60) -> tuple[Model, pd.DataFrame]:
    """Return a model and its training rows in the model's form."""
    settings = GroupSettings(
        target="outcome", algorithm=algorithm, hyperparameters=QUICK[algorithm], task=task
    )
    rows = prepare_rows(a_frame(task, n_clinics=n_clinics), settings)
    return fit_model(rows, None).model, rows.aligned[rows.split.train]


def new_rows(model: Model) -> pd.DataFrame:
    """Return rows with a category that the training did not have."""
    frame = a_frame("binary", 80, seed=5)
    frame.loc[:5, "clinic"] = "clinic that was built since"
    frame.loc[3:8, "region"] = None
    return align(frame, model.schema.features)[0]


def contributions(model: Model, aligned: pd.DataFrame, outputs: np.ndarray) -> pd.DataFrame:
    """Return what each column adds, and the base value."""
    assert model.compiled is not None
    form = model.compiled.form
    groups = ColumnGroups.of(form.encoding, {})
    values = form.contributions(cells_of(aligned), outputs, groups)
    return pd.DataFrame(values, columns=[*groups.names, "base"])


def outputs_of(model: Model, aligned: pd.DataFrame) -> np.ndarray:
    """Return the output that is explained: the predicted class of several."""
    if model.schema.task == "multiclass":
        return model.score_aligned(aligned).predicted
    return np.zeros(len(aligned), np.int64)


def raw_output(model: Model, aligned: pd.DataFrame) -> np.ndarray:
    """Return what the library says of the rows before probabilities are made of it, shape (rows, outputs)."""
    matrix = model.pipeline.named_steps["preprocessing"].transform(aligned)
    estimator = model.pipeline.named_steps["estimator"]
    if "XGB" in type(estimator).__name__:
        raw = estimator.predict(matrix, output_margin=True)
    elif hasattr(estimator, "decision_function"):
        raw = estimator.decision_function(matrix)
    elif model.schema.task == "regression":
        raw = estimator.predict(matrix)
    else:
        raw = estimator.predict_proba(matrix)[
            :, slice(1, 2) if model.schema.task == "binary" else slice(None)
        ]
    return np.asarray(raw).reshape(len(aligned), -1)


def reasons_of(model: Model, aligned: pd.DataFrame, n_reasons: int) -> Reasons:
    explainer = Explainer.of(model, n_reasons)
    assert explainer is not None
    return explainer.explain(aligned, model.score_aligned(aligned))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.fixture(
    scope="module",
    params=[
        (a, t) for a in QUICK for t in TASKS if (a, t) not in {("Ridge", "binary"), ("Ridge", "multiclass")}
    ],
    ids="-".join,
)
def trained(request) -> tuple[Model, pd.DataFrame]:
    return fitted(*request.param)


def test_contributions_and_base_add_up_to_the_raw_output(trained: tuple[Model, pd.DataFrame]) -> None:
    model, _ = trained
    aligned = new_rows(model)
    outputs = outputs_of(model, aligned)

    added = contributions(model, aligned, outputs)

    assert set(added.columns) == {*COLUMNS, "base"}
    expected = raw_output(model, aligned)[np.arange(len(aligned)), outputs]
    np.testing.assert_allclose(added.sum(axis=1), expected, rtol=1e-5, atol=2e-5)
    assert (added.drop(columns="base").abs().sum() > 0).all(), "each column adds something"


def test_a_stored_model_gives_the_same_contributions(
    trained: tuple[Model, pd.DataFrame], tmp_path: Path
) -> None:
    model, _ = trained
    aligned = new_rows(model)
    assert model.compiled is not None
    storage.save(model.compiled, tmp_path)
    outputs = outputs_of(model, aligned)

    stored = Model(model.schema, compiled=storage.load(tmp_path))

    assert Explainer.of(stored, 3) is not None
    pd.testing.assert_frame_equal(
        contributions(stored, aligned, outputs), contributions(model, aligned, outputs)
    )


def test_reasons_are_the_largest_contributions_of_the_predicted_class(
    trained: tuple[Model, pd.DataFrame],
) -> None:
    model, _ = trained
    aligned = new_rows(model)
    added = contributions(model, aligned, outputs_of(model, aligned)).drop(columns="base")

    reasons = reasons_of(model, aligned, 2)

    sizes = added.abs().to_numpy()
    np.testing.assert_allclose(np.abs(reasons.contributions), -np.sort(-sizes, axis=1)[:, :2])
    for position, name in enumerate(reasons.names):
        rows, places = np.nonzero(reasons.positions == position)
        np.testing.assert_allclose(reasons.contributions[rows, places], added[name].to_numpy()[rows])


@pytest.mark.parametrize(
    ("algorithm", "task"),
    [("LogisticRegression", "binary"), ("LogisticRegression", "multiclass"), ("Ridge", "regression")],
)
def test_a_linear_term_is_what_changes_with_its_cell_relative_to_the_training_rows(
    algorithm: str, task: str
) -> None:
    model, training = fitted(algorithm, task)
    aligned = new_rows(model)
    outputs = np.full(len(aligned), raw_output(model, aligned).shape[1] - 1)
    added = contributions(model, aligned, outputs)

    for name in COLUMNS:
        turned = aligned.assign(**{name: aligned[name].to_numpy()[::-1]})
        difference = (raw_output(model, aligned) - raw_output(model, turned))[:, -1]
        own = added[name].to_numpy()
        np.testing.assert_allclose(own - own[::-1], difference, atol=1e-9)
    of_training = contributions(model, training, np.full(len(training), outputs[0]))
    np.testing.assert_allclose(of_training.drop(columns="base").mean(), 0.0, atol=1e-9)


@pytest.mark.parametrize("task", TASKS)
def test_boosting_of_xgboost_is_explained_by_its_own_package(task: str) -> None:
    model, _ = fitted("XGBoost", task)
    aligned = new_rows(model)
    outputs = outputs_of(model, aligned)
    matrix = model.pipeline.named_steps["preprocessing"].transform(aligned)
    booster = model.pipeline.named_steps["estimator"].get_booster()
    expected = booster.predict(xgboost.DMatrix(matrix), pred_contribs=True)
    expected = expected.reshape(len(aligned), -1, matrix.shape[1] + 1)[np.arange(len(aligned)), outputs]

    added = contributions(model, aligned, outputs)

    for name, columns in columns_of(model).items():
        np.testing.assert_allclose(added[name], expected[:, columns].sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("algorithm", ["RandomForest", "HistGradientBoosting"])
def test_paths_are_those_of_the_trees_of_scikit_learn(algorithm: str, task: str) -> None:
    """A path adds the difference of the means of both nodes' training rows to the column of the upper one.

    There are few clinics: target statistics of training rows are made out of fold and not kept.
    """
    model, training = fitted(algorithm, task, n_clinics=12)
    aligned = new_rows(model).iloc[:12]
    outputs = outputs_of(model, aligned)
    preprocessing = model.pipeline.named_steps["preprocessing"]
    matrix, seen = preprocessing.transform(aligned), preprocessing.transform(training)
    name_of = {column: name for name, columns in columns_of(model).items() for column in columns}
    estimator = model.pipeline.named_steps["estimator"]
    steps = _forest_steps if algorithm == "RandomForest" else _boosting_steps

    expected = pd.DataFrame(0.0, index=range(len(aligned)), columns=list(COLUMNS))
    explained = outputs + ((algorithm, task) == ("RandomForest", "binary"))  # the share of the second class
    for row, output in enumerate(explained.tolist()):
        for column, difference in steps(estimator, matrix[row], output, seen):
            expected.loc[row, name_of[column]] += difference

    added = contributions(model, aligned, outputs)[list(COLUMNS)]
    np.testing.assert_allclose(added, expected, atol=1e-5 * expected.abs().to_numpy().max())


def _forest_steps(forest: Any, row: np.ndarray, output: int, _: np.ndarray) -> Iterator[tuple[int, float]]:
    for tree in (estimator.tree_ for estimator in forest.estimators_):
        path = tree.decision_path(row[None].astype(np.float32)).indices
        for parent, child in pairwise(path):
            difference = tree.value[child, 0, output] - tree.value[parent, 0, output]
            yield int(tree.feature[parent]), difference / len(forest.estimators_)


def _boosting_steps(
    boosting: Any, row: np.ndarray, output: int, seen: np.ndarray
) -> Iterator[tuple[int, float]]:
    for iteration in boosting._predictors:
        nodes = iteration[output].nodes
        paths = [_path(nodes, one) for one in seen]
        for parent, child in pairwise(_path(nodes, row)):
            after, before = (
                np.mean([nodes["value"][p[-1]] for p in paths if n in p]) for n in (child, parent)
            )
            yield int(nodes["feature_idx"][parent]), float(after - before)


def _path(nodes: Any, row: np.ndarray) -> list[int]:
    path = [0]
    while not nodes[path[-1]]["is_leaf"]:
        node, value = nodes[path[-1]], row[nodes[path[-1]]["feature_idx"]]
        is_left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
        path.append(int(node["left"] if is_left else node["right"]))
    return path


def columns_of(model: Model) -> dict[str, list[int]]:
    """Return the columns of the matrix that were made of each feature, from the steps of scikit-learn."""
    columns: dict[str, list[int]] = {name: [] for name in COLUMNS}
    preprocessing = model.pipeline.named_steps["preprocessing"]
    for step_name, step, names in preprocessing.transformers_:
        place = preprocessing.output_indices_[step_name]
        order = [*names]
        if step_name == "numbers" and hasattr(step, "named_steps"):
            order += [names[position] for position in step.named_steps["impute"].indicator_.features_]
        elif step_name == "categories":
            widths = [len(c) + bool(o) for c, o in zip(step.categories_, step.has_others_, strict=True)]
            order = [name for name, width in zip(names, widths, strict=True) for _ in range(width)]
        elif step_name == "means":
            order = [name for name in names for _ in range((place.stop - place.start) // len(names))]
        for column, name in zip(range(place.start, place.stop), order, strict=True):
            columns[name].append(column)
    return columns


def test_reasons_do_not_depend_on_how_rows_are_cut(
    trained: tuple[Model, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, _ = trained
    aligned = new_rows(model)
    together = reasons_of(model, aligned, 2)

    monkeypatch.setattr("mlops.pipelines.scoring.reasons._MAX_CELLS", 500)

    assert reasons_of(model, aligned, 2).texts() == together.texts()


@pytest.mark.parametrize(
    ("algorithm", "task"),
    [("LogisticRegression", "binary"), ("LogisticRegression", "multiclass"), ("Ridge", "regression")],
)
def test_a_column_that_moves_a_row_by_rounding_only_is_no_reason(algorithm: str, task: str) -> None:
    settings = GroupSettings(target="outcome", algorithm=algorithm, task=task)
    rows = prepare_rows(a_frame(task).fillna({"age": 0.0}), settings)
    model = fit_model(rows, None).model
    mean_age = float(rows.aligned[rows.split.train]["age"].mean())
    aligned = new_rows(model).assign(age=mean_age)

    added = contributions(model, aligned, outputs_of(model, aligned))["age"]
    named = [reasons_of_cell(text) for text in reasons_of(model, aligned, len(COLUMNS)).texts()]

    assert 0.0 < added.abs().max() < 1e-9, "the mean of the training rows adds nothing but rounding"
    assert {reason.column for reasons in named for reason in reasons} == set(COLUMNS) - {"age"}


@pytest.mark.parametrize(
    ("scale", "contributions", "base", "expected"),
    [
        (0.0, [3e-17, -2e-17, 1e-18], 41.5, [0, 0, 0]),
        (0.0, [2e-9, -1e-9, 1e-17], 1e-6, [2e-9, -1e-9, 0]),
        (0.0, [3600.0, -0.5, 1e-5], 1.7e9, [3600.0, -0.5, 0]),
        (1.0, [3e-17, -2e-17, 1e-18], 0.0, [0, 0, 0]),
        (1.0, [0.4, -1e-5, 1e-8], 0.3, [0.4, -1e-5, 0]),
    ],
)
def test_rounding_is_judged_by_the_scale_of_the_score(
    scale: float, contributions: list[float], base: float, expected: list[float]
) -> None:
    rows, bases = np.array([contributions, np.negative(contributions)]), np.array([[base], [-base]])
    np.testing.assert_array_equal(without_rounding(rows, bases, scale), [expected, np.negative(expected)])


@pytest.mark.parametrize("task", TASKS)
def test_a_forest_that_is_not_compiled_has_the_same_reasons(task: str) -> None:
    model, _ = fitted("RandomForest", task)
    aligned = new_rows(model)

    compiled = reasons_of(Model(model.schema, compiled=model.compiled), aligned, 2)
    own = reasons_of(Model(model.schema, model.pipeline), aligned, 2)

    assert compiled.names == own.names
    np.testing.assert_allclose(own.contributions, compiled.contributions, rtol=1e-6, atol=1e-9)


def test_other_models_that_are_not_compiled_have_none() -> None:
    model, _ = fitted("Ridge", "regression")

    assert Explainer.of(Model(model.schema, model.pipeline), 3) is None


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model with a date and with columns whose names need quotes."""
    frame = a_frame("binary").rename(columns={"dose": "dose; mg", "age": "=age"})
    days = pd.date_range("2024-01-01", periods=len(frame)).strftime("%Y-%m-%d")
    folder = tmp_path_factory.mktemp("reasons")
    settings = {"target": "outcome", "algorithm": "LogisticRegression", "date_parts": ["month", "weekday"]}
    TrainingPipeline(settings).execute(frame.assign(seen=days), folder)
    return folder


def scored_file(directory: Path, tmp_path: Path, **cells: Any) -> Path:
    frame = a_frame("binary", 40, seed=3).drop(columns="outcome")
    frame = frame.rename(columns={"dose": "dose; mg", "age": "=age"})
    frame.assign(seen="2024-03-05", **cells).to_csv(tmp_path / "score.csv", index=False)
    return tmp_path / "score.csv"


def test_the_predictions_file_has_reasons_of_scored_rows_in_columns_of_the_file(
    directory: Path, tmp_path: Path
) -> None:
    path = scored_file(directory, tmp_path, reasons="mine")
    path.write_text(path.read_text().replace("2024-03-05", "never", 1))
    settings = GroupSettings(output=OutputSettings(reasons=3, keep_columns=("reasons",)))

    result = InferencePipeline(directory).execute(path, tmp_path, settings=settings)

    with result.predictions_path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[-3:] == ["model_version", "reasons", "input_reasons"]
    assert {row["input_reasons"] for row in rows} == {"mine"}
    assert (rows[0]["row_status"], rows[0]["reasons"]) == ("unreadable:seen", "")
    predictions = list(result.predictions())
    assert predictions[0].reasons == ()
    assert {len(prediction.reasons) for prediction in predictions[1:]} == {3}
    named = {reason.column for prediction in predictions for reason in prediction.reasons}
    assert {"dose; mg", "=age"} <= named <= {"dose; mg", "=age", "region", "clinic", "seen"}
    for prediction in predictions[1:]:
        sizes = [abs(reason.contribution) for reason in prediction.reasons]
        assert sizes == sorted(sizes, reverse=True)
    assert result.columns == type(result.columns).from_dict(result.columns.to_dict())


def test_without_the_setting_there_is_no_column(directory: Path, tmp_path: Path) -> None:
    result = InferencePipeline(directory).execute(scored_file(directory, tmp_path), tmp_path)

    assert "reasons" not in result.predictions_path.read_text().splitlines()[0]
    assert next(result.predictions()).reasons == ()


@pytest.fixture(scope="module")
def with_reasons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model that was trained with reasons."""
    folder = tmp_path_factory.mktemp("with_reasons")
    settings = {"target": "outcome", "algorithm": "LogisticRegression", "output": {"reasons": 2}}
    TrainingPipeline(settings).execute(a_frame("binary", 1_200), folder)
    return folder


def test_drift_of_reasons_is_judged_where_training_and_scoring_have_reasons(
    with_reasons: Path, tmp_path: Path
) -> None:
    pipeline = InferencePipeline(with_reasons)
    later = a_frame("binary", 400, seed=8).drop(columns="outcome")

    usual = pipeline.execute(later, tmp_path / "usual").drift_report
    changed = pipeline.execute(later.assign(age=later["age"] * 4), tmp_path / "changed").drift_report
    without = pipeline.execute(later, tmp_path / "without", settings=GroupSettings()).drift_report

    assert usual is not None
    assert usual.contributions is not None
    assert (usual.verdict, usual.reasons_with_drift, usual.contributions.n_rows) == ("OK", (), 400)
    assert {change.column for change in usual.contributions.columns} == set(COLUMNS)
    assert sum(change.share_now for change in usual.contributions.columns) == pytest.approx(1.0)
    assert changed is not None
    assert changed.reasons_with_drift[0] == "age"
    assert without is not None
    assert without.contributions is None


def test_sums_over_pieces_are_the_contributions_of_all_rows(with_reasons: Path, tmp_path: Path) -> None:
    later = a_frame("binary", 300, seed=9).drop(columns="outcome")
    result = InferencePipeline(with_reasons).execute(later, tmp_path)
    model = artifacts.load_model(with_reasons)[0]
    aligned = align(later, model.schema.features)[0]
    expected = contributions(model, aligned, outputs_of(model, aligned)).drop(columns="base")
    assert result.drift_report is not None
    assert result.drift_report.contributions is not None
    of_column = {change.column: change for change in result.drift_report.contributions.columns}
    shares = expected.abs().sum() / expected.abs().to_numpy().sum()
    for name in COLUMNS:
        assert of_column[name].share_now == pytest.approx(shares[name])
        assert of_column[name].mean_now == pytest.approx(expected[name].mean())


def test_a_training_without_reasons_stores_no_reference_of_them(directory: Path, tmp_path: Path) -> None:
    assert load_baseline_statistics(directory).contributions is None
    settings = GroupSettings(output=OutputSettings(reasons=3))
    path = scored_file(directory, tmp_path)
    report = InferencePipeline(directory).execute(path, tmp_path, settings=settings).drift_report
    assert report is not None
    assert report.contributions is None


def test_a_linear_model_of_an_earlier_release_has_no_reasons_and_says_so(
    directory: Path, tmp_path: Path
) -> None:
    pipeline = InferencePipeline(directory)
    model = pipeline._model
    assert model.compiled is not None
    storage.save(model.compiled, tmp_path)
    with np.load(tmp_path / COMPILED) as stored:
        arrays = {name: array for name, array in stored.items() if name != "means"}
    np.savez_compressed(tmp_path / COMPILED, **arrays)
    pipeline._model = Model(model.schema, compiled=storage.load(tmp_path))

    settings = GroupSettings(output=OutputSettings(reasons=3))
    result = pipeline.execute(scored_file(directory, tmp_path), tmp_path, settings=settings)

    assert NO_REASONS in result.data_quality.findings
    assert all(row.reasons == () and row.prediction for row in result.predictions())


def test_a_cell_of_reasons_is_read_as_it_was_written() -> None:
    assert reasons_of_cell("") == ()
    cell = 'age +0.42; "dose; ""mg""" -0.31; blood pressure +12346'
    assert reasons_of_cell(cell) == (
        Reason("age", 0.42),
        Reason('dose; "mg"', -0.31),
        Reason("blood pressure", 12346.0),
    )


@pytest.mark.parametrize("value", ["11", "-1", "2.5", "true", '"3"'])
def test_impossible_numbers_of_reasons_are_refused(value: str) -> None:
    with pytest.raises(SettingsError, match=r"output\.reasons must be"):
        GroupSettings.from_toml(f"[output]\nreasons = {value}\n")


def test_the_setting_is_part_of_a_training_only_when_it_is_stated() -> None:
    assert OutputSettings(escape_formulas=False).to_dict() == {"escape_formulas": False}
    assert GroupSettings.from_toml("[output]\nreasons = 3\n").to_dict()["output"]["reasons"] == 3
