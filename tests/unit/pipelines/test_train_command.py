"""`mlops train` says what it thinks of the model, in both forms of its output."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mlops.cli.main import main

from .conftest import build_table

SETTINGS = 'target = "outcome"\nid_columns = ["patient_id"]\nalgorithm = "LogisticRegression"\n'


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Train on a table, with noise for a target or not; return exit code, stdout and stderr."""

    def train(*options: str, noise: bool = False) -> tuple[int, str, str]:
        frame = build_table()
        if noise:
            frame["outcome"] = np.random.default_rng(5).permutation(frame["outcome"])
        frame.to_csv(tmp_path / "train.csv", index=False)
        (tmp_path / "model.toml").write_text(SETTINGS)
        words = ["train", tmp_path / "train.csv", "--output", tmp_path / "m", "--settings"]
        code = main([*map(str, words), str(tmp_path / "model.toml"), *options])
        message = capsys.readouterr()
        return code, message.out, message.err

    return train


def test_a_model_that_passes_the_gate_ends_well_and_says_so(run):
    code, message, complaint = run()
    assert (code, complaint) == (0, "")
    assert "Gate, passed: ROC AUC" in message


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_model_that_the_gate_refuses_is_one_sentence_on_stderr(options, run):
    code, _, complaint = run(*options, noise=True)
    assert code == 1
    assert complaint.startswith("mlops: the model was written, but the gate rejects it: ROC AUC")
    assert "not clearly better than a model that looks at nothing" in complaint
    assert complaint.count("\n") == 1


def test_the_gate_is_part_of_the_json(run):
    code, message, _ = run("--json", noise=True)
    gate = json.loads(message)["gate"]
    assert code == 1
    assert gate["passed"] is False
    assert gate["checks"][0]["name"] == "beats_dummy"


def test_a_model_is_replaced_only_on_request(tmp_path, run):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "manifest.json").write_text("{}")
    code, _, complaint = run()
    assert (code, complaint.count("\n")) == (2, 1)
    assert "contains a model already" in complaint
    assert (tmp_path / "m" / "manifest.json").read_text() == "{}"
    assert run("--overwrite")[0] == 0
    assert (tmp_path / "m" / "manifest.json").read_text() != "{}"
