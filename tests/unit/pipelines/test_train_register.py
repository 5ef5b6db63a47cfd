"""`mlops train --register`: the whole life of a group on plain files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from mlops.cli.main import main
from mlops.context.files import FilesContext
from mlops.models.experiment import RunStatus

from .conftest import build_table
from .test_train_command import SETTINGS


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plain files with the first version of a group, approved and in service."""
    folder = tmp_path_factory.mktemp("life")
    build_table().to_csv(folder / "train.csv", index=False)
    (folder / "model.toml").write_text(SETTINGS)
    assert train(folder) == 0
    for verb in ("approve", "promote"):
        assert main([verb, "g", "v1.0.0", "--reason", "looked at it", "--root", str(folder)]) == 0
    return folder


@pytest.fixture
def life(first: Path, tmp_path: Path) -> Path:
    """A copy of these files; the model stays where it was registered."""
    return Path(shutil.copytree(first, tmp_path / "life"))


def train(folder: Path, *options: str, file: str = "train.csv") -> int:
    words = ["train", folder / file, "--register", "g", "--root", folder, "--settings", folder / "model.toml"]
    return main([*map(str, words), *options])


def test_a_training_becomes_a_dataset_a_run_and_a_version(life: Path) -> None:
    context = FilesContext(life)
    (model,), (dataset,), (run,) = (
        context.registry.list_models("g"),
        context.datasets.list_datasets("g"),
        context.runs.list_runs("g"),
    )
    assert (model.version, model.target) == ("v1.0.0", "outcome")
    assert model.gate is not None
    assert model.gate.passed
    assert (model.dataset_version, model.data.n_rows) == (dataset.dataset_id, dataset.n_rows)
    assert Path(model.artifact.uri).parent.name == "g"
    assert (run.status, run.origin, run.tags["model_version"]) == (RunStatus.FINISHED, "local", "v1.0.0")
    assert run.duration_seconds > 0


def test_the_next_version_is_compared_with_the_champion(
    life: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(life, "--json") == 1
    output = capsys.readouterr()
    assert json.loads(output.out)["gate"]["passed"] is False
    assert "v1.0.1 was registered, but the gate rejects it: ROC AUC does not differ clearly" in output.err
    model = FilesContext(life).registry.get_model("g", "v1.0.1")
    assert model.status == "RejectedByGate"
    assert (model.comparison.champion_version, model.comparison.looks) == ("v1.0.0", 1)


def test_a_champion_whose_directory_changed_is_compared_by_its_stored_scores(life: Path) -> None:
    context = FilesContext(life)
    champion = context.registry.get_model("g", "v1.0.0")
    card = Path(champion.artifact.uri, "model_card.html")
    before = card.read_bytes()
    card.write_text("changed")
    try:
        train(life)
    finally:
        card.write_bytes(before)
    comparison = FilesContext(life).registry.get_model("g", "v1.0.1").comparison
    assert "is missing or changed" in comparison.reason
    assert "roc_auc" in comparison.stored


def test_a_training_that_fails_is_a_failed_run_and_no_version(
    life: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(life / "models")
    (life / "models").write_text("a file where the directory would be")
    assert train(life) == 2
    assert capsys.readouterr().err.count("\n") == 1
    context = FilesContext(life)
    failed = context.runs.list_runs("g")[0]
    assert (failed.status, failed.origin) == (RunStatus.FAILED, "local")
    assert len(context.registry.list_models("g")) == 1


def test_a_file_that_is_rejected_is_no_run(life: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_table()[["outcome"]].to_csv(life / "bad.csv", index=False)
    assert train(life, file="bad.csv") == 2
    assert "bad.csv cannot be a dataset of g" in capsys.readouterr().err
    assert len(FilesContext(life).runs.list_runs("g")) == 1


def test_a_file_is_scored_by_the_champion_of_a_group_and_recorded(
    life: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["score", "g", str(life / "train.csv"), "--root", str(life), "--output", str(life / "out")]
    assert main(words) == 0
    assert "rows scored" in capsys.readouterr().out
    versions = "SELECT DISTINCT model_version FROM predictions"
    assert main(["predictions", "g", "--root", str(life), "--sql", versions]) == 0
    assert "v1.0.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["score", "h", "f.csv", "--output", "o"],
            "h is not a model directory. The group 'h' has no version",
        ),
        (["score", "g", "f.csv", "--output", "o", "--group", "h"], "leave --group out"),
        (["train", "f.csv", "--register", "g", "--overwrite"], "--overwrite goes with --output"),
        (["train", "f.csv", "--register", "g", "--champion", "m"], "--champion goes with --output"),
        (["train", "f.csv", "--output", "m", "--root", "."], "--root goes with --register"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    message = capsys.readouterr().err
    assert sentence in message
    assert message.count("\n") == 1
