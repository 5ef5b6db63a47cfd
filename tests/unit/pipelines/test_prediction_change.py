"""How much of a change in the predictions each column explains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.cli.main import main
from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import PredictionChange
from mlops.monitoring import build_baseline
from mlops.pipelines.artifacts.artifacts import load_model
from mlops.pipelines.scoring.prediction_change import explain_prediction_change
from mlops.pipelines.training_pipeline import TrainingPipeline


def a_table(rows: int, *, seed: int, first: float = 0.0, second: float = 0.0) -> pd.DataFrame:
    """`cost` is 3 x first + second and a little for the site; `self` is not in it."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "first": rng.normal(first, 1, rows),
            "second": rng.normal(second, 1, rows),
            "self": rng.normal(0, 1, rows),
            "site": rng.choice(["north", "south"], rows),
        }
    )
    return frame.assign(
        cost=3 * frame["first"] + frame.second + (frame.site == "south") + rng.normal(0, 0.1, rows)
    )


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    a_table(900, seed=0).to_csv(folder / "train.csv", index=False)
    config = {"target": "cost", "algorithm": "Ridge"}
    return TrainingPipeline(config).execute(folder / "train.csv", folder / "model").model_path


def explained(model_path: Path, frame: pd.DataFrame) -> PredictionChange:
    model, _ = load_model(model_path)
    baseline = BaselineStatistics.from_json((model_path / "baseline_statistics.json").read_bytes())
    change = explain_prediction_change(model, frame, baseline, rng=np.random.default_rng(0))
    assert change is not None
    return change


def test_effects_are_those_of_a_linear_model(model_path: Path):
    change = explained(model_path, a_table(3000, seed=1, first=1.0, second=-1.0))
    assert change.n_rows == 2000
    assert list(change.effects) == ["first", "second"]
    assert change.effects["first"] == pytest.approx(3.0, abs=0.3)
    assert change.effects["second"] == pytest.approx(-1.0, abs=0.2)
    assert change.now - change.before == pytest.approx(2.0, abs=0.6)


def test_rows_as_in_training_have_no_effects(model_path: Path):
    assert all(abs(effect) < 0.5 for effect in explained(model_path, a_table(2000, seed=2)).effects.values())


def test_a_category_and_missing_values_are_drawn_as_in_training(model_path: Path):
    frame = a_table(2000, seed=3).assign(site="south")
    assert explained(model_path, frame).effects["site"] == pytest.approx(0.5, abs=0.1)


def test_without_predictions_of_held_out_rows_there_is_no_answer(model_path: Path):
    model, _ = load_model(model_path)
    frame = a_table(300, seed=4)
    rng = np.random.default_rng(0)
    assert explain_prediction_change(model, frame, build_baseline(frame), rng=rng) is None


def test_the_command_says_it_in_text_and_on_the_page(
    model_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    a_table(500, seed=5, first=1.0).drop(columns="cost").to_csv(tmp_path / "new.csv", index=False)
    assert (
        main(["drift", str(model_path), str(tmp_path / "new.csv"), "--html", str(tmp_path / "r.html")]) == 3
    )
    text = capsys.readouterr().out
    assert "Mean of prediction: " in text
    assert "- first: +" in text
    assert "- together, or by other columns: " in text
    assert "What changed the predictions" in (tmp_path / "r.html").read_text()
