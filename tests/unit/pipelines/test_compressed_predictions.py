"""Predictions compressed by gzip: when they are, and that every reader gives the rows of a plain file."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from mlops.cli.main import main
from mlops.infrastructure.clock import utc_now
from mlops.ledger.batches import LedgerBatches
from mlops.ledger.files import FolderFiles
from mlops.ledger.recording import Ledger
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.scoring import OutputSettings
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.use_cases.record_predictions import record_scoring
from tests.memory_table import MemoryTable

from .conftest import build_table

PLAIN, COMPRESSED = "predictions.csv", "predictions.csv.gz"


def stated(compression: str) -> GroupSettings:
    return GroupSettings.from_toml(f'[output]\ncompression = "{compression}"\n')


@pytest.fixture
def pipeline(trained) -> InferencePipeline:
    return InferencePipeline(trained("LogisticRegression", "binary").model_path)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The same rows, plain and compressed."""
    text = build_table(60, seed=2).to_csv(index=False).encode()
    paths = {"plain": tmp_path / "score.csv", "gzip": tmp_path / "score.csv.gz"}
    paths["plain"].write_bytes(text)
    paths["gzip"].write_bytes(gzip.compress(text))
    return paths


@pytest.mark.parametrize(
    ("source", "compression", "name"),
    [
        ("plain", "auto", PLAIN),
        ("gzip", "auto", COMPRESSED),
        ("plain", "gzip", COMPRESSED),
        ("gzip", "gzip", COMPRESSED),
        ("plain", "none", PLAIN),
        ("gzip", "none", PLAIN),
    ],
)
def test_predictions_are_compressed_as_stated_or_like_the_scored_file(
    source: str, compression: str, name: str, pipeline: InferencePipeline, files, tmp_path: Path
) -> None:
    result = pipeline.execute(files[source], tmp_path / "out", settings=stated(compression))
    assert result.predictions_path == tmp_path / "out" / name
    assert [path.name for path in (tmp_path / "out").glob("predictions*")] == [name]


def test_the_content_and_its_readers_are_those_of_a_plain_file(
    pipeline: InferencePipeline, files, tmp_path: Path
) -> None:
    plain = pipeline.execute(files["plain"], tmp_path / "plain")
    packed = pipeline.execute(files["plain"], tmp_path / "packed", settings=stated("gzip"))
    assert gzip.decompress(packed.predictions_path.read_bytes()) == plain.predictions_path.read_bytes()
    assert list(packed.predictions()) == list(plain.predictions())


def test_the_same_rows_are_the_same_bytes_at_another_time(
    pipeline: InferencePipeline, files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pipeline.execute(files["plain"], tmp_path / "first", settings=stated("gzip"))
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    second = pipeline.execute(files["plain"], tmp_path / "second", settings=stated("gzip"))
    assert first.predictions_path.read_bytes() == second.predictions_path.read_bytes()


def test_predictions_of_an_earlier_run_do_not_remain_under_the_other_name(
    pipeline: InferencePipeline, files, tmp_path: Path
) -> None:
    for compression, name in (("none", PLAIN), ("gzip", COMPRESSED), ("none", PLAIN)):
        pipeline.execute(files["plain"], tmp_path / "out", settings=stated(compression))
        assert [path.name for path in (tmp_path / "out").glob("predictions*")] == [name]


def test_the_same_predictions_are_one_batch_of_the_ledger_however_they_are_written(
    pipeline: InferencePipeline, files, tmp_path: Path
) -> None:
    ledger = Ledger(FolderFiles(tmp_path / "ledger"), LedgerBatches(MemoryTable()))
    recorded = [
        record_scoring(
            pipeline.execute(files["plain"], tmp_path / compression, settings=stated(compression)),
            files["plain"], "trial", ledger, utc_now(),
        )
        for compression in ("none", "gzip")
    ]  # fmt: skip
    assert recorded[0] == recorded[1]
    assert recorded[0].n_rows == 60


def test_the_command_names_the_file_that_it_wrote(
    trained, files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = os.fspath(trained("LogisticRegression", "binary").model_path)
    assert main(["score", model, os.fspath(files["gzip"]), "--output", os.fspath(tmp_path / "out")]) == 0
    assert f"60 rows scored: {tmp_path / 'out' / COMPRESSED}" in capsys.readouterr().out


def test_other_compressions_are_refused_and_the_default_is_not_stored() -> None:
    with pytest.raises(SettingsError, match=r"'zstd' of output\.compression.*auto, gzip, none"):
        stated("zstd")
    assert "compression" not in OutputSettings().to_dict()
    assert stated("gzip").to_dict()["output"]["compression"] == "gzip"
