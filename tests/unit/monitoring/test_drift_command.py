"""`mlops drift` as a user types it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.cli.files.drift import add_parser
from mlops.models.drift.report import DriftReport
from mlops.models.errors import MlopsError
from mlops.monitoring import build_baseline
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline
from mlops.registry.model_registry import ModelRegistry


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["drift", *map(str, arguments)])
    return parsed.run(parsed)


def people(age: float, *, rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"age": rng.normal(age, 9, rows), "sex": rng.choice(["female", "male"], rows)})


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "baseline_statistics.json"
    path.write_text(build_baseline(people(41, rows=500, seed=0)).to_json())
    return path


def a_file(tmp_path: Path, age: float) -> Path:
    path = tmp_path / "batch.csv"
    people(age, rows=300, seed=1).to_csv(path, index=False)
    return path


def test_similar_rows_exit_with_zero(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(baseline, a_file(tmp_path, 41)) == 0
    assert capsys.readouterr().out.startswith("The inputs look as they did at training.")


def test_an_alert_exits_with_three_and_writes_json_and_a_page(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "out.html"
    assert run(baseline.parent, a_file(tmp_path, 60), "--json", "--html", page) == 3
    assert json.loads(capsys.readouterr().out)["features_with_drift"] == ["age"]
    assert "Drift of batch.csv" in page.read_text()


def test_the_exit_code_follows_the_verdict(baseline: Path, tmp_path: Path):
    people(41, rows=300, seed=1).assign(surprise=1).to_csv(tmp_path / "more.csv", index=False)
    assert run(baseline, tmp_path / "more.csv") == 4
    people(60, rows=20, seed=1).to_csv(tmp_path / "few.csv", index=False)
    assert run(baseline, tmp_path / "few.csv") == 5


def test_a_higher_threshold_is_obeyed(baseline: Path, tmp_path: Path):
    assert run(baseline, a_file(tmp_path, 60), "--threshold", "50", "--alert-threshold", "60") == 0


@pytest.mark.parametrize("missing", ["baseline", "file"])
def test_what_is_not_there_is_named(baseline: Path, tmp_path: Path, missing: str):
    file = a_file(tmp_path, 41)
    (baseline if missing == "baseline" else file).unlink()
    with pytest.raises(MlopsError, match=r"does not exist|no file"):
        run(baseline, file)


def visits(rows: int, seed: int, *, days: int = 700, words: int = 9) -> pd.DataFrame:
    """Patients with a date and a text, of which features are made."""
    rng = np.random.default_rng(seed)
    visited = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, days, rows), unit="D")
    frame = people(41, rows=rows, seed=seed).assign(
        visited=visited.strftime("%d.%m.%Y"),
        note=[" ".join(rng.choice(["pain", "fever", "well"], rng.integers(1, words))) for _ in range(rows)],
    )
    return frame.assign(outcome=np.where(rng.normal(frame.age, 9) > 41, "yes", "no"))


SETTINGS_OF_VISITS = {
    "target": "outcome",
    "algorithm": "RandomForest",
    "hyperparameters": {"n_estimators": 5},
    "text_columns": ["note"],
    "date_parts": ["month"],
    "drift": {"exclude_columns": ["sex"], "threshold": 0.05},
}


@pytest.fixture(scope="module")
def visits_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("visits")
    TrainingPipeline(SETTINGS_OF_VISITS).execute(visits(400, 0), folder / "model")
    return folder / "model"


def test_a_file_is_compared_as_scoring_compares_it(
    visits_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "new.csv"
    visits(300, 1, days=150, words=20).to_csv(file, index=False)
    scored = InferencePipeline(visits_model).execute(file, tmp_path / "scored").drift_report
    assert run(visits_model, file, "--json") == 3
    report = DriftReport.from_json(capsys.readouterr().out)
    assert scored is not None
    assert {"visited_month", "note_words"} <= set(report.features_with_drift)
    assert report.features == scored.features
    assert (report.verdict, report.threshold, report.excluded) == (
        *(scored.verdict, scored.threshold, scored.excluded),
    )


def test_only_what_is_made_of_an_absent_column_is_missing(
    visits_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "new.csv"
    visits(300, 1).drop(columns="note").to_csv(file, index=False)
    run(visits_model, file, "--json")
    assert json.loads(capsys.readouterr().out)["features_with_drift"] == ["note_words"]


def test_a_group_is_compared_like_its_model_directory(
    visits_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    registry = ModelRegistry(root=tmp_path / "model-registry")
    registry.register_model("clinic", visits_model, {}, {}, "d1", "RandomForest")
    registry.approve_model("clinic", "v1.0.0")
    registry.promote_model("clinic", "v1.0.0")
    file = tmp_path / "new.csv"
    visits(300, 1).to_csv(file, index=False)
    assert run("clinic", file, "--root", tmp_path) == 0
    assert "look as they did at training" in capsys.readouterr().out


def test_rows_of_the_training_show_changed_combinations(
    visits_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    training, new, page = tmp_path / "training.csv", tmp_path / "new.csv", tmp_path / "page.html"
    visits(400, 0).to_csv(training, index=False)
    visits(300, 1, words=20).to_csv(new, index=False)
    run(visits_model, new, "--multivariate", training, "--html", page)
    assert "A classifier separates 300 rows from 400 training rows" in capsys.readouterr().out
    assert "Combinations of values" in page.read_text()
    with pytest.raises(MlopsError, match="Name the file"):
        run(visits_model, "--multivariate", training)
