"""What validation says of a column is what the model does with it, by file and by frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.cli.main import main
from mlops.dataset.validation.validate import validate
from mlops.models.dataset import ValidationReport
from mlops.models.settings.group import GroupSettings
from mlops.pipelines.features.training_rows import TrainingRows, prepare_rows
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

N_ROWS = 300
Cells = Callable[[np.random.Generator], object]

ZIPS = np.array(["1", "2", "30", "31", "44", "5", "61", "72"])
KINDS: dict[str, tuple[Cells, str, str | None]] = {
    # cells, kind in the contract, kind in the model: None = no feature
    "integer": (lambda rng: rng.integers(0, 400, N_ROWS), "integer", "numeric"),
    "number": (lambda rng: rng.normal(size=N_ROWS).round(3), "number", "numeric"),
    "category": (lambda rng: rng.choice(["red", "green", "blue"], N_ROWS), "category", "categorical"),
    "code": (lambda rng: [f"{n:05d}" for n in rng.integers(0, 9, N_ROWS)], "category", "categorical"),
    "boolean": (lambda rng: rng.choice(["True", "False"], N_ROWS), "category", "categorical"),
    "date": (lambda rng: [f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(N_ROWS)], "date", None),
    "day first": (
        lambda rng: [f"{1 + n % 28:02d}/{1 + n % 12:02d}/2024" for n in range(N_ROWS)],
        "date",
        None,
    ),
    "text": (lambda rng: [f"note {n} about {n * 7}" for n in range(N_ROWS)], "text", None),
    "empty": (lambda rng: [""] * N_ROWS, "empty", None),
}
STATED = {
    "category": ("category", "categorical"),
    "text": ("text", "categorical"),
    "number": ("number", "numeric"),
    "integer": ("integer", "numeric"),
}


def a_file(tmp_path: Path, **columns: object) -> Path:
    rng = np.random.default_rng(3)
    path = tmp_path / "train.csv"
    measure = rng.normal(size=N_ROWS).round(2)
    outcome = np.where(measure + rng.normal(size=N_ROWS) > 0, "yes", "no")
    pd.DataFrame({"measure": measure, **columns, "outcome": outcome}).to_csv(path, index=False)
    return path


def kind_in(report: ValidationReport, name: str) -> str:
    assert report.contract is not None
    column = report.contract.column(name)
    assert column is not None
    return column.kind


def kind_of_feature(rows: TrainingRows, name: str) -> str | None:
    kinds = {feature.name: feature.kind for feature in rows.selection.features}
    return kinds.get(name)


def rows_in_every_way(path: Path, settings: GroupSettings) -> dict[str, TrainingRows]:
    report = validate(path, settings)
    frame = pd.read_csv(path, dtype={"x": str}, keep_default_na=False)
    return {
        "file alone": prepare_rows(path, settings),
        "file with its contract": prepare_rows(path, settings, report.contract),
        "frame alone": prepare_rows(frame, settings),
        "frame with the contract": prepare_rows(frame, settings, report.contract),
    }


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_of_the_contract_is_the_kind_of_the_model(name: str, tmp_path: Path) -> None:
    cells, kind, feature = KINDS[name]
    path = a_file(tmp_path, x=cells(np.random.default_rng(5)))
    settings = GroupSettings(target="outcome")
    assert kind_in(validate(path, settings), "x") == kind
    for way, rows in rows_in_every_way(path, settings).items():
        assert kind_of_feature(rows, "x") == feature, way
        assert rows.contract is not None
        assert rows.contract.column("x").kind == kind, way  # type: ignore[union-attr]
        assert rows.schema(None).contract == rows.contract


@pytest.mark.parametrize("stated", STATED)
def test_a_stated_kind_holds_for_digits_in_validation_and_in_the_model(stated: str, tmp_path: Path) -> None:
    kind, feature = STATED[stated]
    path = a_file(tmp_path, x=ZIPS[np.random.default_rng(5).integers(0, len(ZIPS), N_ROWS)])
    settings = GroupSettings.from_toml(f'target = "outcome"\n[columns.x]\nkind = "{stated}"\n')
    for way, rows in rows_in_every_way(path, settings).items():
        assert kind_of_feature(rows, "x") == feature, way
        if way.endswith("alone"):
            assert rows.contract is not None
            assert rows.contract.column("x").kind == kind, way  # type: ignore[union-attr]
        if feature == "categorical":
            assert set(rows.selection.features[1].levels or ()) == set(ZIPS), way


def with_words(cells: np.ndarray) -> list[str]:
    texts = [str(cell) for cell in cells]
    return ["At-Large" if n % 15 == 7 else text for n, text in enumerate(texts)]


REMEDIES = {
    "words among numbers": with_words(np.random.default_rng(1).integers(1, 9, N_ROWS)),
    "dates that are none": [
        "soon" if n % 40 == 3 else f"2024-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(N_ROWS)
    ],
}


@pytest.mark.parametrize("case", REMEDIES)
def test_each_offered_remedy_changes_the_verdict_and_the_model(case: str, tmp_path: Path) -> None:
    path = a_file(tmp_path, x=REMEDIES[case])
    before = validate(path, GroupSettings(target="outcome"))
    (finding,) = [f for f in before.findings if f.rule_id == "type_mismatch"]
    settings = GroupSettings.from_toml(f'target = "outcome"\n{finding.accept_with}\n')
    after = validate(path, settings)
    assert (before.verdict, after.verdict) != ("reject", "reject")
    assert kind_in(after, "x") != kind_in(before, "x")
    rows = prepare_rows(path, settings)
    first = prepare_rows(path, GroupSettings(target="outcome"))
    assert rows.contract != first.contract
    if case == "words among numbers":
        assert (kind_of_feature(first, "x"), kind_of_feature(rows, "x")) == ("numeric", "categorical")
        assert "At-Large" in (rows.selection.features[1].levels or ())
        assert any("20 cells of 'x' could not be read" in note for note in first.notes), first.notes
        assert not any("could not be read" in note for note in rows.notes)


@pytest.mark.parametrize("last", ["customer_id", "row_key", "mrn"])
def test_an_id_in_the_last_column_is_not_the_target_in_either(last: str, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    frame = pd.read_csv(path)
    frame[last] = np.arange(N_ROWS) * 7 + 1000
    frame.to_csv(path, index=False)
    report = validate(path)
    assert report.target == "outcome"
    for way, rows in rows_in_every_way(path, GroupSettings()).items():
        assert rows.problem.target == "outcome", way
        assert rows.contract is not None
        assert rows.contract.target == "outcome", way


def test_a_time_column_written_day_first_orders_the_rows_by_its_one_notation(tmp_path: Path) -> None:
    days = pd.date_range("2023-01-01", periods=N_ROWS)
    path = a_file(tmp_path, seen=days.strftime("%d/%m/%Y"))
    settings = GroupSettings(target="outcome", time_column="seen")
    for way, rows in rows_in_every_way(path, settings).items():
        assert rows.split.test.sum() == N_ROWS // 5, way
        assert rows.split.test[-N_ROWS // 5 :].all(), way


def test_a_time_column_of_which_the_month_must_be_guessed_is_refused_by_both(tmp_path: Path) -> None:
    path = a_file(tmp_path, seen=[f"{1 + n % 12:02d}/{1 + n // 12 % 12:02d}/2024" for n in range(N_ROWS)])
    settings = GroupSettings(target="outcome", time_column="seen")
    rejections = validate(path, settings).of_severity("reject")
    assert "time_split" in {finding.rule_id for finding in rejections}
    stated = GroupSettings.from_toml(
        'target = "outcome"\ntime_column = "seen"\n[columns.seen]\nkind = "date"\ndateformat = "%d/%m/%Y"\n'
    )
    assert validate(path, stated).verdict != "reject"
    assert prepare_rows(path, stated).split.test.any()


def test_a_file_to_score_is_read_as_the_training_file_was(tmp_path: Path) -> None:
    seen = pd.date_range("2023-01-01", periods=N_ROWS).strftime("%d/%m/%Y")
    zips = ZIPS[np.random.default_rng(5).integers(0, len(ZIPS), N_ROWS)]
    path = a_file(tmp_path, x=zips, seen=seen)
    text = (
        'target = "outcome"\nalgorithm = "LogisticRegression"\ndate_parts = ["month"]\n'
        '[columns.x]\nkind = "category"\n[columns.measure]\nmissing = ["-9"]\n'
    )
    TrainingPipeline(GroupSettings.from_toml(text)).execute(path, tmp_path / "model")
    few = pd.read_csv(path, dtype=str).head(12)  # neither days above 12 nor all zips: nothing to guess from
    few.loc[:3, "measure"] = "-9"
    few.to_csv(tmp_path / "few.csv", index=False)
    pipeline = InferencePipeline(tmp_path / "model")
    quality = pipeline.execute(tmp_path / "few.csv", tmp_path / "out").data_quality
    assert quality.missing_fraction["measure"] == pytest.approx(4 / 12)
    assert quality.missing_fraction["seen_month"] == 0.0
    assert quality.unknown_levels == {}
    by_frame = pipeline.execute(few, tmp_path / "frame")
    by_file = (tmp_path / "out" / "predictions.csv").read_text()
    assert by_frame.predictions_path.read_text() == by_file


def test_the_drift_command_reads_digits_that_are_categories_as_the_model_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = a_file(tmp_path, x=ZIPS[np.random.default_rng(5).integers(0, len(ZIPS), N_ROWS)])
    text = 'target = "outcome"\nalgorithm = "LogisticRegression"\n[columns.x]\nkind = "category"\n'
    TrainingPipeline(GroupSettings.from_toml(text)).execute(path, tmp_path / "model")
    for baseline in (tmp_path / "model", tmp_path / "model" / "baseline_statistics.json"):
        assert main(["drift", str(baseline), str(path)]) == 0
        assert "look as they did at training" in capsys.readouterr().out
    alone = tmp_path / "baseline.json"
    alone.write_bytes((tmp_path / "model" / "baseline_statistics.json").read_bytes())
    assert main(["drift", str(alone), str(path)]) == 0
