"""`mlops drift` as a user types it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.cli.files.drift import add_parser
from mlops.models.errors import MlopsError
from mlops.monitoring import build_baseline


def run(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    parsed = parser.parse_args(["drift", *map(str, arguments)])
    return parsed.run(parsed)


def people(age: float, *, rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"age": rng.normal(age, 9, rows), "sex": rng.choice(["female", "male"], rows)})


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "baseline_statistics.json"
    path.write_text(build_baseline(people(41, rows=500, seed=0)).to_json())
    return path


def a_file(tmp_path: Path, age: float) -> Path:
    path = tmp_path / "batch.csv"
    people(age, rows=300, seed=1).to_csv(path, index=False)
    return path


def test_similar_rows_exit_with_zero(baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert run(baseline, a_file(tmp_path, 41)) == 0
    assert capsys.readouterr().out.startswith("The inputs look as they did at training.")


def test_an_alert_exits_with_three_and_writes_json_and_a_page(
    baseline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "out.html"
    assert run(baseline.parent, a_file(tmp_path, 60), "--json", "--html", page) == 3
    assert json.loads(capsys.readouterr().out)["features_with_drift"] == ["age"]
    assert "Drift of batch.csv" in page.read_text()


def test_the_exit_code_follows_the_verdict(baseline: Path, tmp_path: Path):
    people(41, rows=300, seed=1).assign(surprise=1).to_csv(tmp_path / "more.csv", index=False)
    assert run(baseline, tmp_path / "more.csv") == 4
    people(60, rows=20, seed=1).to_csv(tmp_path / "few.csv", index=False)
    assert run(baseline, tmp_path / "few.csv") == 5


def test_a_higher_threshold_is_obeyed(baseline: Path, tmp_path: Path):
    assert run(baseline, a_file(tmp_path, 60), "--threshold", "50", "--alert-threshold", "60") == 0


@pytest.mark.parametrize("missing", ["baseline", "file"])
def test_what_is_not_there_is_named(baseline: Path, tmp_path: Path, missing: str):
    file = a_file(tmp_path, 41)
    (baseline if missing == "baseline" else file).unlink()
    with pytest.raises(MlopsError, match=r"does not exist|no file"):
        run(baseline, file)
