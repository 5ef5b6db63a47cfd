"""A file to score is treated alike by the library, by intake and by a frame, however it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from mlops.models.dataset import Contract
from mlops.models.errors import DatasetError
from mlops.models.objects import Artifact
from mlops.models.registry import ModelMetadata, Source, Status
from mlops.models.scoring.result import InferenceResult
from mlops.models.settings.group import GroupSettings
from mlops.models.training import TrainingResult
from mlops.pipelines.artifacts.artifacts import load_model
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.scoring.rows_to_score import contract_of_model
from mlops.pipelines.training_pipeline import TrainingPipeline
from tests.unit.dataset.intake_world import NOW, World

from .conftest import build_table

SETTINGS = GroupSettings(target="outcome", id_columns=("patient_id",), algorithm="LogisticRegression")
SCORED = build_table(247, seed=8).drop(columns="outcome").fillna({"region": ""})

type Edit = Callable[[pd.DataFrame], pd.DataFrame]


def with_cells(frame: pd.DataFrame, column: str, value: str, n_rows: int) -> pd.DataFrame:
    changed = frame.astype({column: object})
    changed.loc[: n_rows - 1, column] = value
    return changed


def with_total(frame: pd.DataFrame) -> pd.DataFrame:
    total = dict.fromkeys(frame.columns, "") | {"patient_id": "Total", "dose": "1003.5"}
    return pd.concat([frame.astype(object), pd.DataFrame([total])], ignore_index=True)


# the edit, whether it is scored, and words of a finding about it
CASES: dict[str, tuple[Edit, bool, str]] = {
    "as trained": (lambda f: f, True, ""),
    "another order": (lambda f: f[f.columns[::-1]], True, ""),
    "an extra column": (lambda f: f.assign(weather="rain"), True, "weather"),
    "no id column": (lambda f: f.drop(columns="patient_id"), True, "no id column"),
    "an id in other case": (
        lambda f: f.rename(columns={"patient_id": "Patient_ID"}),
        True,
        "Patient_ID was taken for patient_id",
    ),
    "an id with a space": (lambda f: f.rename(columns={"patient_id": "patient id"}), True, "was taken for"),
    "a feature in other case": (
        lambda f: f.rename(columns={"dose": "DOSE"}),
        True,
        "DOSE was taken",
    ),
    "two names for one column": (
        lambda f: f.rename(columns={"dose": "Dose"}).assign(DOSE_=1.0),
        False,
        "missing from the header: dose",
    ),
    "one bad cell": (
        lambda f: with_cells(f, "dose", "see notes", 1),
        True,
        "1 cell of 'dose' could not",
    ),
    "a few bad cells": (lambda f: with_cells(f, "age", "old", 9), True, "9 cells of 'age' could not be read"),
    "another kind": (lambda f: f.assign(dose="plenty"), False, "Column dose is numeric"),
    "mostly bad cells": (lambda f: with_cells(f, "dose", "plenty", 100), False, "Column dose is numeric"),
    "a total at the end": (with_total, False, "The last row looks like a footer"),
    "no feature column": (lambda f: f.drop(columns="dose"), False, "missing from the header: dose"),
    "a target of other words": (lambda f: f.assign(outcome="unknown"), True, ""),
    "an unused column of words": (lambda f: f.assign(nothing="words", site=3), True, ""),
}


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, TrainingResult]:
    """A group whose first model was trained as a job does: on the dataset, by its contract."""
    folder = tmp_path_factory.mktemp("champion")
    world = World(folder)
    world.drop("g/model.toml", 'target = "outcome"\nid_columns = ["patient_id"]\n')
    received = world.receive(world.drop("g/training/a.csv", build_table().to_csv(index=False)))
    dataset = world.versions.find_dataset("g", str(received.dataset_id))
    assert dataset is not None
    assert dataset.contract is not None
    contract = Contract.from_json(world.objects.read(dataset.contract))
    build_table().to_csv(folder / "train.csv", index=False)
    result = TrainingPipeline(SETTINGS).execute(folder / "train.csv", folder / "model", contract=contract)
    model = ModelMetadata(
        model_group="g",
        version="v1.0.0",
        number=1,
        status=Status.CHAMPION,
        created_at=NOW,
        algorithm=result.algorithm,
        hyperparameters={},
        metrics=result.metrics,
        dataset_version=dataset.dataset_id,
        artifact=Artifact("s3://artifacts/model.tar.gz", "ab", "1"),
        features=result.features,
        settings=SETTINGS,
        source=Source(uri="s3://artifacts/code"),
    )
    world.models.found.append(model)
    return world, result


def outcome_of(score: Callable[[], InferenceResult]) -> tuple[bool, str, str]:
    """Return whether it was scored, what was said, and the predictions."""
    try:
        result = score()
    except DatasetError as error:
        return False, str(error), ""
    return True, " ".join(result.data_quality.findings), result.predictions_path.read_text("utf-8")


@pytest.mark.parametrize("case", CASES)
def test_library_and_intake_treat_a_file_alike(
    case: str, champion: tuple[World, TrainingResult], tmp_path: Path
) -> None:
    edit, is_scored, words = CASES[case]
    world, trained = champion
    text = edit(SCORED).to_csv(index=False)
    (tmp_path / "score.csv").write_text(text, "utf-8")
    pipeline = InferencePipeline(trained.model_path)
    scored, said, predictions = outcome_of(lambda: pipeline.execute(tmp_path / "score.csv", tmp_path / "out"))
    received = world.receive(world.drop(f"g/inference/{case}.csv", text))
    assert scored == is_scored, said
    assert (received.outcome == "accepted") == is_scored, received
    assert words in said
    if is_scored:
        assert len(predictions.splitlines()) == 248
        by_frame = pipeline.execute(edit(SCORED), tmp_path / "frame")
        assert by_frame.predictions_path.read_text("utf-8") == predictions


def test_a_model_of_an_earlier_release_reads_by_its_features(champion: tuple[World, TrainingResult]) -> None:
    schema = load_model(champion[1].model_path)[0].schema
    older = contract_of_model(replace(schema, contract=None))
    assert {column.name: column.kind for column in older.columns} == {
        "age": "number", "dose": "number", "region": "category", "patient_id": "text",
    }  # fmt: skip
    assert not older.is_learned
