"""`mlops predictions` and `mlops score --root` on plain files."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest

from mlops.cli.main import main
from mlops.context.files import FilesContext
from mlops.ledger.recording import record_batch
from mlops.models.objects import Artifact
from mlops.models.registry import Candidate
from mlops.models.training import EvaluationMetrics
from mlops.pipelines.training_pipeline import TrainingPipeline

from .conftest import GROUP, TWO_CLASSES, a_batch, scored_rows, write_csv


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Plain files with two batches."""
    for number in (1, 2):
        path = write_csv(tmp_path / "predictions.csv", TWO_CLASSES.names, scored_rows(40))
        batch = a_batch(f"b{number}", at=datetime(2026, 3, number, tzinfo=UTC))
        record_batch(batch, path, TWO_CLASSES, FilesContext(tmp_path).ledger)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    code = main([*words])
    output = capsys.readouterr()
    assert (code, output.err) == (0, ""), output.err
    return output.out


def test_the_newest_rows_are_a_table_without_empty_columns(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = printed(capsys, "predictions", GROUP, "--root", str(root)).splitlines()
    assert lines[0].split()[:6] == ["batch_date", "batch_id", "file", "row", "patient_id", "prediction"]
    assert "interval_low" not in lines[0]
    assert lines[-2].split()[:5] == ["2026-03-02", "b2", "march.csv", "40", "P40"]
    assert lines[-1] == "30 rows before these are printed by --csv."


def test_all_rows_are_printed_as_csv(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = printed(capsys, "predictions", GROUP, "--root", str(root), "--csv", "--since", "2026-03-02")
    rows = list(csv.DictReader(StringIO(output)))
    assert [row["patient_id"] for row in rows] == [f"P{number}" for number in range(1, 41)]


def test_rows_of_an_id_are_printed_as_json(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(printed(capsys, "predictions", GROUP, "--root", str(root), "--id", "P7", "--json"))
    assert [(row["batch_id"], row["row"]) for row in rows] == [("b1", 7), ("b2", 7)]
    assert rows[0]["scored_at"] == "2026-03-01 00:00:00"


def test_a_query_is_answered(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = 'SELECT batch_id, any_value(ids) AS ids FROM predictions WHERE "row" = 1 GROUP BY 1 ORDER BY 1'
    output = printed(capsys, "predictions", GROUP, "--root", str(root), "--sql", query, "--csv")
    assert output == 'batch_id,ids\nb1,"{""patient_id"": ""P1""}"\nb2,"{""patient_id"": ""P1""}"\n'


def test_without_rows_it_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = "No prediction in the ledger matches.\n"
    assert printed(capsys, "predictions", "other", "--root", str(root)) == expected


def test_a_wrong_query_is_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predictions", GROUP, "--root", str(root), "--sql", "DELETE FROM predictions"]) == 2
    assert capsys.readouterr().err.startswith("mlops: The SQL must be one SELECT")


def test_a_wrong_day_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["predictions", GROUP, "--since", "yesterday"])
    assert "'yesterday' is not a day such as 2026-11-01" in capsys.readouterr().err


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of house prices."""
    folder = tmp_path_factory.mktemp("model")
    rows = [{"house": f"H{n}", "size": float(n % 37), "price": 3.0 * (n % 37) + n % 5} for n in range(120)]
    pd.DataFrame(rows).to_csv(folder / "train.csv", index=False)
    settings = {"target": "price", "id_columns": ["house"], "algorithm": "Ridge"}
    TrainingPipeline(settings).execute(folder / "train.csv", folder / "model")
    pd.DataFrame(rows[:9]).drop(columns="price").to_csv(folder / "march.csv", index=False)
    return folder


def score(model: Path, root: Path, *words: str) -> int:
    return main(
        ["score", str(model / "model"), str(model / "march.csv"), "--output", str(root / "out"), *words]
    )


def test_a_scored_file_is_recorded_once_in_the_ledger_beside_the_registry(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate = Candidate("Ridge", {}, EvaluationMetrics(), "d", Artifact("s3://a/m", "0" * 64))
    FilesContext(tmp_path).registry.register("houses", candidate)
    for _ in range(2):
        assert score(model, tmp_path, "--root", str(tmp_path), "--group", "houses") == 0
    capsys.readouterr()
    rows = json.loads(printed(capsys, "predictions", "houses", "--root", str(tmp_path), "--json"))
    assert [(row["row"], row["house"], row["file"]) for row in rows] == [
        (n, f"H{n - 1}", "march.csv") for n in range(1, 10)
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--group", "houses"), "name both --root and --group"),
        (("--root", "."), "name both --root and --group"),
        (("--root", ".", "--group", "houses"), "The group 'houses' has no version yet. No group has one."),
    ],
)
def test_a_file_is_not_scored_when_it_cannot_be_recorded(
    model: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert score(model, tmp_path, *words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
