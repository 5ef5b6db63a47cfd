"""`mlops.connect`: predictions, versions, runs and datasets of a group."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from botocore.stub import Stubber

import mlops
from mlops.context.files import FilesContext
from mlops.infrastructure.aws.clients import client
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.recording import record_batch
from mlops.models.errors import SettingsError
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.training import EvaluationMetrics


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Plain files with two batches of two groups: one of classes, one of numbers."""
    two_classes = PredictionColumns.of(["id"], ["no", "yes"], "row_status", [])
    number = PredictionColumns.of(["id"], [], "row_status", [])
    delivered = {
        "patients": (2, two_classes, "1,07,yes,0.2,0.8,scored,v1.0.0"),
        "houses": (3, number, "1,H1,2.5,,,scored,v1.0.0"),
    }
    context = FilesContext(tmp_path)
    for group, (day, columns, row) in delivered.items():
        (tmp_path / "predictions.csv").write_text(f"{','.join(columns.names)}\n{row}\n")
        batch = ScoredBatch(group, "b1", "new.csv", "v1.0.0", datetime(2026, 3, day, 9, tzinfo=UTC))
        record_batch(batch, tmp_path / "predictions.csv", columns, context.ledger)
    candidate = Candidate("Ridge", {}, EvaluationMetrics(), "d", Artifact("s3://a/m", "0" * 64))
    context.registry.register("houses", candidate)
    return tmp_path


def test_predictions_are_a_frame_with_ids_as_text_and_probabilities(root: Path) -> None:
    frame = mlops.connect(root).group("patients").predictions()
    assert frame[["row", "id", "prediction", "probability_yes"]].to_dict("records") == [
        {"row": 1, "id": "07", "prediction": "yes", "probability_yes": 0.8}
    ]
    assert frame["scored_at"].tolist() == [pd.Timestamp("2026-03-02 09:00")]


def test_predictions_without_probabilities_are_numbers(root: Path) -> None:
    assert mlops.connect(str(root)).group("houses").predictions()["prediction"].tolist() == [2.5]


def test_rows_are_selected_by_id_day_and_sql(root: Path) -> None:
    houses = mlops.connect(root).group("houses")
    assert len(houses.predictions(row_id="H1", since=date(2026, 3, 3))) == 1
    assert len(houses.predictions(row_id="H2")) == 0
    assert len(houses.predictions(since="2026-03-04")) == 0
    counted = houses.predictions(sql="SELECT count(*) AS n FROM predictions")
    assert counted.to_dict("records") == [{"n": 1}]


def test_a_group_has_its_versions_runs_and_datasets(root: Path) -> None:
    connection = mlops.connect(root)
    assert connection.groups() == ["houses"]
    houses = connection.group("houses")
    assert [model.version for model in houses.versions()] == ["v1.0.0"]
    assert (houses.champion(), houses.runs(), houses.datasets()) == (None, [], ())


def test_a_group_without_predictions_has_an_empty_frame(root: Path) -> None:
    frame = mlops.connect(root).group("nothing").predictions()
    assert frame.empty
    assert {"batch_id", "row", "prediction"} <= set(frame.columns)


@pytest.mark.parametrize("target", [Path("mlops"), "./mlops", "/tmp/mlops", "."])
def test_a_path_is_plain_files(target: str | Path) -> None:
    context = mlops.connect(target).context
    assert isinstance(context, FilesContext)
    assert context.root == Path(target)


def test_another_text_is_the_name_of_a_stack(aws: None) -> None:
    with Stubber(client("cloudformation")) as cloudformation:
        cloudformation.add_client_error("describe_stacks", "ValidationError")
        with pytest.raises(SettingsError, match="There is no stack 'mlops-prod'"):
            mlops.connect("mlops-prod")


def test_versions_are_compared_and_the_comparison_is_shown_as_a_page(root: Path) -> None:
    connection = mlops.connect(root)
    candidate = Candidate("Lasso", {}, EvaluationMetrics(), "e", Artifact("s3://a/n", "1" * 64))
    newest = connection.registry.register("houses", candidate).model.version
    comparison = connection.group("houses").compare("v1.0.0", newest)
    assert repr(comparison) == f"ModelComparison(houses: v1.0.0 and {newest}, 0 scores)"
    assert "Lasso" in comparison._repr_html_()
