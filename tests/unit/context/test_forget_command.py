"""`mlops forget` on plain files."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from mlops.cli.main import main
from tests.unit.dataset.intake_world import GOOD


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "train.csv").write_text(GOOD.replace("P7,", "-7,"))
    assert main(["datasets", "add", "g", str(tmp_path / "train.csv"), "--root", str(tmp_path / "root")]) == 0
    return tmp_path / "root"


def test_nothing_changes_without_yes_and_then_the_rows_are_deleted(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert main(["forget", "g", "--root", str(root), "--", "-7"]) == 0
    output = capsys.readouterr().out
    assert "datasets  rewritten: 1  rows: 1" in output
    assert "Nothing was changed; add --yes" in output
    assert "models that were trained" in output
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert main(["forget", "g", "--yes", "--reason", "asked", "--root", str(root), "--", "-7"]) == 0
    assert "Nothing was changed" not in capsys.readouterr().out
    assert not [path for path in root.rglob("*") if path.is_file() and b"\n-7," in path.read_bytes()]
    assert main(["forgotten", "g", "--root", str(root)]) == 0
    assert "done  asked" in capsys.readouterr().out
    assert main(["forgotten", "g", "--again", "--root", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removals"] == []


def test_an_id_can_be_read_from_standard_input(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("-7\n"))
    assert main(["forget", "g", "-", "--root", str(root), "--json"]) == 0
    assert [r["n_rows"] for r in json.loads(capsys.readouterr().out)["removals"]] == [1, 1]


@pytest.mark.parametrize(
    "arguments", [["nothing", "P1"], ["g", " "], ["g", "P1", "--reason", "for P1", "--yes"]]
)
def test_a_mistake_is_named_in_a_sentence(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    capsys.readouterr()
    assert main(["forget", *arguments, "--root", str(root)]) == 2
    assert capsys.readouterr().err.startswith("mlops: ")
