"""`mlops.train` and `mlops.detect_drift`: the library on DataFrames."""

from __future__ import annotations

import logging
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlops
from mlops.models.errors import SettingsError, TrainingError
from mlops.monitoring.report.report import render
from mlops.pipelines.trained_model import TrainedModel


def patients(n_rows: int, seed: int = 1) -> pd.DataFrame:
    """Rows with an outcome of 0 and 1 that depends on the dose, with an index that does not begin at 0."""
    rng = np.random.default_rng(seed)
    dose = rng.normal(10, 2, n_rows)
    frame = pd.DataFrame({"dose": dose, "site": rng.choice(["north", "south"], n_rows)})
    frame["returned"] = (dose + rng.normal(0, 1, n_rows) > 10).astype(int)
    frame.index += 100
    return frame


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return mlops.train(patients(400), target="returned", settings={"algorithm": "LogisticRegression"})


def test_predictions_have_the_index_and_the_classes_of_the_rows(trained: TrainedModel) -> None:
    rows = patients(150, seed=2)
    predicted = trained.predict(rows.drop(columns="returned"))
    assert predicted.index.equals(rows.index)
    assert set(predicted["row_status"]) == {"scored"}
    assert (predicted["prediction"] == rows["returned"]).mean() > 0.75
    assert predicted["probability_1"].between(0, 1).all()


def test_the_fitted_pipeline_is_that_of_scikit_learn(trained: TrainedModel) -> None:
    assert list(trained.model.named_steps) == ["preprocessing", "estimator"]
    assert type(trained.model.named_steps["estimator"]).__name__ == "LogisticRegression"


def test_representations_are_one_short_line(trained: TrainedModel) -> None:
    scored = mlops.detect_drift(patients(300), patients(300, seed=3))
    for shown in (trained, trained.result, scored):
        assert len(repr(shown)) < 160
        assert "\n" not in repr(shown)
    assert repr(trained).startswith("TrainedModel(LogisticRegression for returned, ")


def test_a_notebook_shows_the_card_and_the_report_without_scripts(trained: TrainedModel) -> None:
    report = trained.detect_drift(patients(300, seed=4))
    card = (trained.directory / "model_card.html").read_text("utf-8")
    for shown, page in ((trained, card), (report, render(report))):
        frame = shown._repr_html_()
        assert frame.startswith('<iframe sandbox srcdoc="')
        assert frame.count('"') == 4
        assert page in unescape(frame)
        assert "<script" not in page


def test_drift_of_two_frames_names_the_column_that_moved() -> None:
    reference, current = patients(500), patients(500, seed=5)
    current["dose"] += 3
    report = mlops.detect_drift(reference, current, exclude_columns=["returned"])
    assert report.verdict == "ALERT"
    assert report.features_with_drift == ("dose",)
    assert mlops.detect_drift(reference, reference).verdict == "OK"


def test_a_model_is_stored_copied_and_not_overwritten(tmp_path: Path, trained: TrainedModel) -> None:
    assert (trained.save(tmp_path / "copy") / "manifest.json").is_file()
    with pytest.raises(SettingsError, match="contains a model already"):
        mlops.train(patients(400), target="returned", output=tmp_path / "copy")


def test_a_target_that_is_not_a_column_is_refused() -> None:
    with pytest.raises(SettingsError, match="'outcome' is not a column"):
        mlops.train(patients(200), target="outcome")


def test_a_training_that_fails_leaves_no_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(TrainingError):
        mlops.train(patients(200)[["returned"]], target="returned")
    assert not list(tmp_path.iterdir())


def test_a_service_of_features_that_is_not_joined_is_a_warning() -> None:
    stated = {"algorithm": "LogisticRegression", "features": {"service": "visits_v1"}}
    model = mlops.train(patients(300), target="returned", settings=stated)
    (warning,) = [warning for warning in model.result.warnings if "[features]" in warning]
    assert "visits_v1, which adds no column here" in warning


def test_the_stages_are_logged_and_the_temporary_model_is_deleted(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="mlops"):
        model = mlops.train(patients(300), target="returned", settings={"algorithm": "LogisticRegression"})
    stages = [record.getMessage().split()[0] for record in caplog.records]
    assert stages == ["Read", "Fit", "Evaluate", "Write"]
    directory = model.directory
    assert directory.is_dir()
    del model
    assert not directory.exists()
