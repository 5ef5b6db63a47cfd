"""`mlops labels` and `mlops quality` on plain files, and the same from Python."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import mlops
from mlops.cli.main import main
from mlops.context import labels as labels_module
from mlops.context.files import FilesContext
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.recording import record_batch
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics

GROUP = "patients"
N_ROWS = 200


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A champion, and a batch whose rows come true as predicted, but for every fifth."""
    metrics = EvaluationMetrics(
        accuracy=0.8,
        primary="accuracy",
        intervals={"accuracy": (0.75, 0.85)},
        task="binary",
        labels=("no", "yes"),
        positive_label="yes",
    )
    settings = GroupSettings(id_columns=("patient_id",), target="adherent")
    artifact = Artifact("s3://a/m", "0" * 64)
    context = FilesContext(tmp_path)
    context.registry.register(GROUP, Candidate("Ridge", {}, metrics, "d", artifact, settings=settings))
    context.registry.approve_model(GROUP, "v1.0.0")
    context.registry.promote_model(GROUP, "v1.0.0")
    columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", [])
    rows = [f"{i},{i:04},yes,0.2,0.8,scored,v1.0.0" for i in range(1, N_ROWS + 1)]
    (tmp_path / "predictions.csv").write_text("\n".join([",".join(columns.names), *rows, ""]))
    batch = ScoredBatch(GROUP, "b1", "march.csv", "v1.0.0", datetime.now(UTC) - timedelta(days=3))
    record_batch(batch, tmp_path / "predictions.csv", columns, context.ledger)
    return tmp_path


def write_labels(root: Path, *extra: str) -> Path:
    """A file of labels for every row."""
    rows = [f"{i:04},{'no' if i % 5 == 0 else 'YES'}" for i in range(1, N_ROWS + 1)]
    path = root / "labels.csv"
    path.write_text("\n".join(["patient_id,adherent", *rows, *extra, ""]))
    return path


def test_labels_are_recorded_and_the_quality_is_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = ("--root", str(root))
    assert main(["labels", str(write_labels(root)), "--group", GROUP, *target]) == 0
    assert "200 labels of patients are recorded." in capsys.readouterr().out
    page = root / "quality.html"
    assert main(["quality", GROUP, "--html", str(page), *target]) == 0
    text = capsys.readouterr().out
    assert "The quality is as approved." in text
    assert "accuracy 0.8000" in text.lower()
    assert "Realised quality: patients" in page.read_text()
    assert main(["quality", GROUP, "--json", *target]) == 0
    assert json.loads(capsys.readouterr().out)["overall"]["scores"]["accuracy"]["value"] == 0.8
    frame = mlops.connect(root).group(GROUP).quality()
    assert frame["kind"].tolist() == ["overall", "period", "delay", "estimate"]
    assert frame.loc[0, ["n_labels", "accuracy", "approved", "verdict"]].tolist() == [200, 0.8, 0.8, "OK"]


def test_the_same_labels_are_recorded_once_also_on_another_day(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["labels", str(write_labels(root)), "--group", GROUP, "--root", str(root)]
    assert main(arguments) == 0
    monkeypatch.setattr(labels_module, "utc_now", lambda: datetime.now(UTC) + timedelta(days=1))
    assert main(arguments) == 0
    assert len(list((root / "labels").rglob("*.parquet"))) == 1


def test_a_file_with_a_fault_is_an_error_that_says_what_to_do(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_labels(root, "0201,perhaps")
    assert main(["labels", str(path), "--group", GROUP, "--root", str(root)]) == 2
    message = capsys.readouterr().err
    assert "'perhaps', in row 201" in message
    assert "Its classes: no, yes." in message
    assert not (root / "labels").exists()


def test_without_labels_the_command_shows_the_estimate_and_says_how_to_give_them(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quality", GROUP, "--root", str(root)]) == 0
    text = capsys.readouterr().out
    assert "No prediction of patients has a label yet. Record labels with `mlops labels`" in text
    assert "Estimated without labels" in text
    assert mlops.connect(root).group(GROUP).quality()["kind"].tolist() == ["overall", "estimate"]
