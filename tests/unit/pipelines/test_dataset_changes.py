"""What a training says of its file beside the champion's: rows, columns and values that changed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlops.models.training import DatasetChanges, TrainingResult
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import SETTINGS, build_table


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return train(build_table(600), tmp_path_factory.mktemp("champion"))


def train(frame: pd.DataFrame, folder: Path, champion: Path | None = None, **config) -> TrainingResult:
    frame.to_csv(folder / "train.csv", index=False)
    pipeline = TrainingPipeline({**SETTINGS, "algorithm": "LogisticRegression", **config})
    version = "v1.0.0" if champion else None
    return pipeline.execute(
        folder / "train.csv", folder / "model", champion_path=champion, champion_version=version
    )


def changes_of(frame: pd.DataFrame, folder: Path, champion: TrainingResult, **config) -> DatasetChanges:
    changes = train(frame, folder, champion.model_path, **config).changes
    assert changes is not None
    return changes


def test_the_first_training_has_nothing_to_compare_with(champion: TrainingResult) -> None:
    assert champion.changes is None


def test_the_same_file_has_not_changed(champion: TrainingResult, tmp_path: Path) -> None:
    changes = changes_of(build_table(600), tmp_path, champion)
    assert (changes.model_version, changes.verdict, changes.drift_score) == ("v1.0.0", "OK", 0.0)
    assert changes.n_rows_before == changes.n_rows_after == champion.n_rows_train
    assert changes.sentences == ()


def test_moved_values_more_rows_and_columns_that_come_and_go_are_named(
    champion: TrainingResult, tmp_path: Path
) -> None:
    frame = build_table(900).rename(columns={"dose": "dosage"})
    frame["age"] = frame["age"] + 15
    changes = changes_of(frame, tmp_path, champion)
    assert changes.verdict == "ALERT"
    text = "\n".join(changes.sentences)
    assert changes.n_rows_after > changes.n_rows_before == champion.n_rows_train
    for expected in ("age: median", "dose: ", "dosage"):
        assert expected in text


def test_columns_that_drift_settings_leave_out_are_left_out_here(
    champion: TrainingResult, tmp_path: Path
) -> None:
    frame = build_table(600)
    frame["age"] = frame["age"] + 15
    changes = changes_of(frame, tmp_path, champion, drift={"exclude_columns": ["age"]})
    assert "age" not in "\n".join(changes.sentences)


def test_a_champion_without_a_baseline_says_nothing(champion: TrainingResult, tmp_path: Path) -> None:
    path = champion.baseline_path
    kept = path.read_bytes()
    path.unlink()
    try:
        result = train(build_table(600), tmp_path, champion.model_path)
    finally:
        path.write_bytes(kept)
    assert result.changes is None
