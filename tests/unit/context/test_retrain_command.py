"""`mlops retrain` on plain files: what would be trained is shown or written, and nothing is started."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mlops.cli.main import main
from mlops.context.files import FilesContext
from mlops.ledger.batches import ScoredBatch
from mlops.ledger.labels.recording import LabelFile, record_labels
from mlops.ledger.recording import record_batch
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.scoring.columns import PredictionColumns
from mlops.models.settings.group import GroupSettings
from mlops.models.training import EvaluationMetrics
from tests.functions.retraining_stage import HEADER, some_rows
from tests.unit.ledger.conftest import write_csv

GROUP = "patients"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A champion on 200 rows, and 80 scored rows with outcomes."""
    context = FilesContext(tmp_path / "files")
    now = datetime.now(UTC)
    settings = GroupSettings(target="outcome", id_columns=("patient_id",))
    file = write_csv(tmp_path / "train.csv", HEADER, some_rows(200))
    dataset = context.datasets.add(GROUP, file, settings=settings, now=now)
    metrics = EvaluationMetrics(accuracy=0.6, primary="accuracy", task="binary", labels=("no", "yes"))
    candidate = Candidate(
        "Ridge",
        {},
        metrics,
        dataset.dataset_id,
        Artifact("s3://a/m", "0" * 64),
        features=("age", "region"),
        settings=settings,
    )
    context.registry.register(GROUP, candidate)
    context.registry.approve_model(GROUP, "v1.0.0")
    context.registry.promote_model(GROUP, "v1.0.0")
    scored = some_rows(80, first=1001, seed=1)
    columns = PredictionColumns.of(["patient_id"], ["no", "yes"], "row_status", ["age", "region"])
    cells = [
        (i, row[0], "no", 0.6, 0.4, "scored", "v1.0.0", *row[1:3]) for i, row in enumerate(scored, start=1)
    ]
    predictions = write_csv(tmp_path / "b1" / "predictions.csv", columns.names, cells)
    batch = ScoredBatch(GROUP, "b1", "march.csv", "v1.0.0", now - timedelta(days=3))
    record_batch(batch, predictions, columns, context.ledger)
    header = ("label_row", "patient_id", "batch_id", "row", "label", "label_time")
    labels = write_csv(
        tmp_path / "labels.csv", header, [(i, r[0], "", "", r[3], "") for i, r in enumerate(scored)]
    )
    record_labels(LabelFile(GROUP, "u1", "labels.csv", now), labels, ("patient_id",), context.label_files)
    return tmp_path / "files"


def test_a_dry_run_shows_rows_by_source_and_cost(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retrain", GROUP, "--dry-run", "--root", str(root)]) == 0
    text = capsys.readouterr().out
    for part in ("280 rows, 80 new to the champion", "200 rows  file", "80 rows  labelled rows of batch b1"):
        assert part in text
    assert "the last rows are held out" in text
    assert main(["retrain", GROUP, "--dry-run", "--json", "--root", str(root)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["n_rows"], document["n_new_labels"], document["split"]) == (280, 80, "last_rows")


def test_the_training_set_is_written_and_nothing_else_is_started(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "again.csv"
    assert main(["retrain", GROUP, "--output", str(output), "--root", str(root)]) == 0
    with output.open(newline="") as stream:
        assert len(list(csv.reader(stream))) == 281
    assert main(["retrain", GROUP, "--root", str(root)]) == 2
    assert "--output FILE" in capsys.readouterr().err
    assert main(["retrain", "nothing", "--dry-run", "--root", str(root)]) == 2
    assert "has no approved model" in capsys.readouterr().err
