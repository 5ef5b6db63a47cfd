"""`mlops features` on plain files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.cli.main import main
from tests.unit.feature_store.test_definitions import TOML

VALUES = "patient_id,at,bmi\nA,2026-02-01T00:00:00Z,20.5\nA,2026-02-10T00:00:00Z,21.5\n"
ENTITY_ROWS = "patient_id,event_timestamp,label,height\nA,2026-02-05T00:00:00Z,1,2\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a file of definitions, one of values and one of entity rows."""
    text = TOML.replace("ttl_seconds = 2592000\n", "")
    for name, content in (("features.toml", text), ("v.csv", VALUES), ("e.csv", ENTITY_ROWS)):
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], root: Path, *words: str, code: int = 0) -> str:
    assert main(["features", *words, "--root", str(root)]) == code
    captured = capsys.readouterr()
    return captured.err if code else captured.out


def test_features_are_applied_ingested_materialised_and_read(capsys, root):
    assert "feature view vitals: version 1" in run(capsys, root, "apply", str(root / "features.toml"))
    assert "as it was applied" in run(capsys, root, "apply", str(root / "features.toml"))
    assert run(capsys, root, "ingest", "vitals", str(root / "v.csv")) == "vitals: 2 rows stored.\n"
    assert "2 were stored already" in run(capsys, root, "ingest", "vitals", str(root / "v.csv"))
    assert "1 of 1 entities have newer values" in run(capsys, root, "materialize")
    history = run(capsys, root, "history", "adherence_v1", str(root / "e.csv")).splitlines()
    assert history[0] == "patient_id,event_timestamp,label,height,bmi,mass"
    assert history[1].endswith(",1,2.0,20.5,82.0")
    rows = json.loads(run(capsys, root, "history", "adherence_v1", str(root / "e.csv"), "--json"))
    assert [(row["bmi"], row["event_timestamp"][:10]) for row in rows] == [(20.5, "2026-02-05")]
    read = json.loads(run(capsys, root, "get", "adherence_v1", "patient_id=A,height=2", "--json"))
    assert read["values"]["bmi"] == [21.5]
    assert read["statuses"]["bmi"] == ["PRESENT"]
    listing = run(capsys, root, "list").splitlines()
    assert listing[-1].split()[:5] == ["vitals", "feature", "view", "1", "2"]
    assert "v.csv  2 new rows" in run(capsys, root, "show", "vitals")


def test_a_dry_run_stores_nothing(capsys, root):
    assert "Nothing was stored" in run(capsys, root, "apply", str(root / "features.toml"), "--dry-run")
    assert "Nothing is defined" in run(capsys, root, "list")


def test_history_is_written_as_parquet(capsys, root):
    run(capsys, root, "apply", str(root / "features.toml"))
    words = ("history", "vitals:bmi", str(root / "e.csv"), "--output", str(root / "out.parquet"))
    assert run(capsys, root, *words) == f"1 rows are in {root / 'out.parquet'}.\n"


def test_an_unknown_name_is_one_sentence(capsys, root):
    run(capsys, root, "apply", str(root / "features.toml"))
    assert "Did you mean 'vitals'?" in run(capsys, root, "show", "vitas", code=2)
