"""A training uses the cores that it may use, and comes to the same result with any number of them."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from mlops.algorithms.cores import on_shared_cores, threads_for, using_cores
from mlops.algorithms.selection import configure
from mlops.cli.main import main
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.fitting.choosing import choose
from mlops.pipelines.fitting.fitting import WeightedRows, fit_estimator
from mlops.pipelines.fitting.out_of_fold import PreparedFolds, training_sample
from mlops.pipelines.trained_model import train

from .conftest import build_table

SMALL = {
    "XGBoost": {"n_estimators": 4},
    "HistGradientBoosting": {"max_iter": 4},
    "RandomForest": {"n_estimators": 4},
}
EVERY_CHOICE = {"target": "outcome", "id_columns": ["patient_id"], "search": {"trials": 4}}


class Recorder:
    """An estimator that says with how many threads it is fitted."""

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    def get_params(self) -> dict[str, Any]:
        return self.parameters

    def set_params(self, **parameters: Any) -> None:
        self.parameters |= parameters


def test_calls_share_the_cores_and_their_answers_keep_the_order():
    def cores_of(item: int) -> tuple[int, list[int]]:
        return item, on_shared_cores(lambda inner: inner, [item, item])

    with using_cores(4):
        assert on_shared_cores(cores_of, [3, 1, 2]) == [(3, [3, 3]), (1, [1, 1]), (2, [2, 2])]


@pytest.mark.parametrize(("n_items", "share"), [(1, 6), (2, 3), (4, 1), (9, 1)])
def test_a_large_fit_has_the_share_of_the_cores_that_is_its_own(n_items: int, share: int):
    large = np.broadcast_to(np.float32(0), (3_000, 1_000))

    def threads(_: int) -> int:
        estimator = Recorder(n_jobs=1)
        with threads_for(estimator, large):
            return int(estimator.parameters["n_jobs"])

    with using_cores(6):
        assert set(on_shared_cores(threads, range(n_items))) == {share}


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "is_worthwhile"),
    [
        (600, 5_000, False),
        (2_000, 5_000, False),
        (1_700, 20, False),
        (50_000, 50, True),
        (5_000, 1_000, True),
    ],
)
def test_threads_are_for_many_cells_of_many_rows(n_rows: int, n_columns: int, is_worthwhile: bool):
    matrix = np.broadcast_to(np.float32(0), (n_rows, n_columns))
    estimator = Recorder(n_jobs=1)
    with using_cores(5), threads_for(estimator, matrix):
        assert estimator.parameters["n_jobs"] == (5 if is_worthwhile else 1)
    assert estimator.parameters["n_jobs"] == 1, "scoring has one thread"


def test_by_default_a_training_uses_the_cores_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    estimator, large = Recorder(n_jobs=1), np.broadcast_to(np.float32(0), (3_000, 1_000))
    with using_cores(), threads_for(estimator, large):
        assert estimator.parameters["n_jobs"] == joblib.cpu_count() == 1


def test_waiting_threads_sleep_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch):
    for stated, expected in ((None, "passive"), ("active", "active")):
        monkeypatch.setenv("OMP_WAIT_POLICY", stated or "")
        if stated is None:
            monkeypatch.delenv("OMP_WAIT_POLICY")
        with using_cores(1):
            assert os.environ["OMP_WAIT_POLICY"] == expected


@pytest.mark.parametrize("name", ["LogisticRegression", *SMALL])
def test_a_large_fit_is_the_same_with_any_number_of_threads(name: str):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(4_000, 501))
    y = (matrix[:, 0] + matrix[:, 1] * matrix[:, 2] + rng.normal(size=len(matrix)) > 0.0).astype(np.int64)
    settings = GroupSettings(algorithm=name, hyperparameters=SMALL.get(name, {"max_iter": 20}))

    def probabilities(n_jobs: int) -> np.ndarray:
        configured = configure(settings, "binary")
        with using_cores(n_jobs):
            fit_estimator(configured, WeightedRows(matrix, y))
            return np.asarray(configured.estimator.predict_proba(matrix))

    assert (probabilities(1) == probabilities(3)).all()


def test_a_training_is_the_same_with_any_number_of_cores(tmp_path: Path):
    frame = build_table(900)
    one, several = (
        train(frame, settings=EVERY_CHOICE, output=tmp_path / str(n_jobs), n_jobs=n_jobs) for n_jobs in (1, 3)
    )
    same = {"model_path": Path(), "baseline_path": Path(), "duration_seconds": 0.0}
    assert replace(one.result, **same, baseline=None) == replace(several.result, **same, baseline=None)
    assert len(one.result.trials) == 4
    assert len(one.result.contenders) > 1
    predicted = [model.predict(frame.drop(columns="outcome")) for model in (one, several)]
    assert predicted[0].equals(predicted[1])
    for name in ("metrics.json", "schema.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


@pytest.mark.parametrize("n_jobs", ["0", "-1"])
def test_less_than_one_core_is_refused(n_jobs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    build_table(60).to_csv(tmp_path / "train.csv")
    code = main(["train", str(tmp_path / "train.csv"), "--output", str(tmp_path / "m"), "-j", n_jobs])
    assert code != 0
    assert f"The number of cores must be at least 1, not {n_jobs}." in capsys.readouterr().err
    with pytest.raises(SettingsError, match="at least 1"), using_cores(int(n_jobs)):
        pass


def test_contenders_and_trials_prepare_the_columns_of_a_fold_once(caplog: pytest.LogCaptureFixture):
    """The race, the last round of the search and the fit of its best trial look at the same five folds."""
    rows = prepare_rows(build_table(400), GroupSettings.from_config(EVERY_CHOICE))
    with caplog.at_level(logging.DEBUG, "mlops.pipelines.fitting.out_of_fold"):
        choice = choose(training_sample(rows), rows.settings)
    prepared = [record.getMessage() for record in caplog.records if record.message.startswith("Prepare")]
    assert len(choice.trials) == 4
    assert len(prepared) == len(set(prepared)), "a fold is prepared once in each form"


def test_matrices_of_earlier_folds_are_dropped_where_there_is_no_room():
    prepared, large = PreparedFolds(), np.broadcast_to(0.0, (5_000_000,))
    for fold in range(3):
        prepared.keep(fold, (False, True), (large, large))
        prepared.keep(fold, (True, False), (large[:9], large[:9]))
        assert fold in {key[0] for key in prepared.kept}
    assert [key[0] for key in prepared.kept] == [1, 2, 2]
