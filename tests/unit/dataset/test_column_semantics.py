"""One answer to what a column is: intake, training and drift agree for every name and shape of values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.dataset.table.column_names import is_id_name
from mlops.dataset.table.table import Table
from mlops.dataset.validation.reading import load_table
from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings
from mlops.monitoring import DriftDetector, build_baseline
from mlops.pipelines.features.training_rows import prepare_rows
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.pipelines.training_pipeline import TrainingPipeline

ROWS = 240
IDS = (
    "id", "ID", "patient_id", "patient id", "patient-id", "patient.id", "PatientId", "patientID",
    "PATIENT_ID", "patientid", "customerId", "CUSTOMERID", "site-id", "record_ids", "mrn", "MRN",
    "patient_mrn", "uuid", "row_uuid", "guid", "row_key", "rowKey", "key", "idx", "row_idx", "index",
    "Index", "row_number", "rownum", "Unnamed: 0",
)  # fmt: skip
MEASURES = (
    "amount_paid", "paid", "PAID", "bid", "grid", "covid", "Covid", "uric_acid", "lipid", "humid",
    "valid", "android", "steroid", "thyroid", "solid_mass", "fluid", "body_mass_index", "price_index",
    "identity_score", "idle_minutes", "keystrokes", "monkey", "ideal_weight", "age", "cost",
    "guide_count", "morning",
)  # fmt: skip


def shapes() -> dict[str, list[object]]:
    rng = np.random.default_rng(1)
    numbers = rng.choice(10**6, ROWS, replace=False)
    return {
        "whole numbers that differ": numbers.tolist(),
        "whole numbers of persons seen three times": np.repeat(numbers, 3)[:ROWS].tolist(),
        "whole numbers of a few sites": (numbers % 9).tolist(),
        "fractions": (numbers / 7).round(3).tolist(),
        "texts that differ": [f"P{number:07d}" for number in numbers],
        "codes of a few sites": [f"{number % 9:03d}" for number in numbers],
        "the number of the row": list(range(1, ROWS + 1)),
        "the number of the row, shuffled": rng.permutation(ROWS).tolist(),
    }


# of each shape: whether a column with the name of an id is left out, and one with any other name
LEFT_OUT = {
    "whole numbers that differ": (True, False),
    "whole numbers of persons seen three times": (True, False),
    "whole numbers of a few sites": (False, False),
    "fractions": (False, False),
    "texts that differ": (True, True),
    "codes of a few sites": (False, False),
    "the number of the row": (True, True),
    "the number of the row, shuffled": (True, True),
}


def a_table(name: str, values: list[object]) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    dose = rng.normal(10, 3, ROWS).round(2)
    outcome = np.where(dose + rng.normal(0, 2, ROWS) > 10, "yes", "no")
    return pd.DataFrame({name: values, "dose": dose, "outcome": outcome})


def learned_at_intake(path: Path, name: str) -> bool:
    report = validate(path, {"target": "outcome"})
    assert report.verdict != "reject", report.findings
    role = next(column.role for column in report.contract.columns if column.name == name)
    said = {finding.rule_id for finding in report.findings if finding.column == name}
    return role == "feature" and not said & {"id_like", "index_column"}


@pytest.mark.parametrize("shape", LEFT_OUT)
@pytest.mark.parametrize("names", [IDS, MEASURES], ids=["ids", "measures"])
def test_intake_training_and_drift_give_one_answer(names: tuple[str, ...], shape: str, tmp_path: Path):
    values = shapes()[shape]
    is_left_out = LEFT_OUT[shape][names is MEASURES]
    path = tmp_path / "train.csv"
    for name in names:
        assert is_id_name(name) == (names is IDS), name
        frame = a_table(name, values)
        frame.to_csv(path, index=False)
        learned = {
            "intake": learned_at_intake(path, name),
            "training": name in [f.name for f in prepare_rows(path, SETTINGS).selection.features],
            "a frame": name in [f.name for f in prepare_rows(frame, SETTINGS).selection.features],
            "drift": name in build_baseline(frame.drop(columns="outcome")).features,
        }
        assert learned == dict.fromkeys(learned, not is_left_out), name


SETTINGS = GroupSettings(target="outcome")


def test_an_id_beside_the_one_of_the_rows_is_left_out_as_well(tmp_path: Path):
    frame = a_table("patient_id", shapes()["texts that differ"])
    frame["encounter_id"] = shapes()["whole numbers that differ"]
    frame.to_csv(tmp_path / "train.csv", index=False)
    report = validate(tmp_path / "train.csv", {"target": "outcome"})
    roles = {column.name: column.role for column in report.contract.columns}
    assert (roles["patient_id"], roles["encounter_id"], roles["dose"]) == ("id", "excluded", "feature")
    assert report.contract.column("encounter_id").maximum is None
    dropped = prepare_rows(tmp_path / "train.csv", SETTINGS).selection.dropped
    assert set(dropped) == {"patient_id", "encounter_id"}
    assert "almost never repeat" in dropped["encounter_id"]


def test_a_kind_that_is_stated_makes_a_value_of_a_column_with_the_name_of_an_id(tmp_path: Path):
    frame = a_table("row_key", shapes()["whole numbers that differ"])
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {"target": "outcome", "columns": {"row_key": {"kind": "integer"}}}
    settings = GroupSettings.from_config(config)
    assert learned_roles(tmp_path / "train.csv", settings)["row_key"] == "feature"
    assert "row_key" in [f.name for f in prepare_rows(tmp_path / "train.csv", settings).selection.features]


def learned_roles(path: Path, settings: GroupSettings) -> dict[str, str]:
    return {column.name: column.role for column in validate(path, settings).contract.columns}


@pytest.mark.parametrize("name", ["amount_paid", "uric_acid", "bid", "grid", "covid"])
def test_three_times_as_much_of_a_column_that_ends_like_an_id_is_an_alert(name: str):
    frame = a_table(name, shapes()["whole numbers that differ"])[[name, "dose"]]
    detector = DriftDetector(build_baseline(frame))
    assert detector.detect_drift(frame.sample(frac=1, random_state=0)).verdict == "OK"
    report = detector.detect_drift(frame.assign(**{name: 3 * frame[name]}))
    assert report.verdict == "ALERT"
    assert report.features_with_drift == (name,)


def test_training_leaves_out_the_medical_record_number_that_intake_takes_for_the_id(tmp_path: Path):
    frame = a_table("mrn", shapes()["whole numbers that differ"])
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {"target": "outcome", "algorithm": "LogisticRegression"}
    result = TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model")
    assert result.features == ("dose",)
    assert result.dropped_columns == {"mrn": "looks like an id: whole numbers that almost never repeat"}
    assert set(result.baseline.features) == {"dose"}
    assert result.baseline.format_version == 2


def test_what_a_table_knows_of_its_columns(tmp_path: Path):
    frame = pd.DataFrame(
        {
            "patient_id": [f"P{n}" for n in range(60)],
            "ward": [f"{n % 7:03d}" for n in range(60)],
            "age": ["?" if n == 3 else str(20 + n % 50) for n in range(60)],
            "dose": [n % 13 + 0.5 for n in range(60)],
            "consent": ["yes", "no"] * 30,
            "region": ["north", "south", "east"] * 20,
            "seen": [f"2024-01-{1 + n % 28:02d}" for n in range(60)],
            "born": [f"{1 + n % 28}.{1 + n % 12}.1970" for n in range(60)],
            "nothing": [""] * 60,
            "visit": range(60),
            "outcome": ["a", "b"] * 30,
        }
    )
    frame.to_csv(tmp_path / "train.csv", index=False)
    settings = GroupSettings(target="outcome", time_column="seen", exclude_columns=("region",))
    for table in (load_table(tmp_path / "train.csv", settings), Table.from_frame(frame, settings)):
        kinds = {name: column.kind for name, column in table.columns.items()}
        assert kinds == {
            "patient_id": "text",
            "ward": "code",
            "age": "integer",
            "dose": "number",
            "consent": "boolean",
            "region": "category",
            "seen": "date",
            "born": "date",
            "nothing": "empty",
            "visit": "integer",
            "outcome": "category",
        }
        roles = {name: column.role for name, column in table.columns.items() if column.role != "feature"}
        assert roles == {"patient_id": "id", "seen": "time", "region": "excluded", "outcome": "target"}
        assert (table.columns["seen"].date_format, table.columns["born"].date_format) == (
            "ISO",
            "%d.%m.%Y",
        )
        assert table.columns["age"].missing_tokens == ("?",)
        assert np.isnan(table["age"][3])
        assert table.columns["visit"].unusable == "counts the rows"


def test_a_frame_and_its_file_train_the_same_model(tmp_path: Path):
    frame = a_table("amount_paid", shapes()["whole numbers that differ"])
    frame["region"] = pd.Series(["north ", "south", "NA", None] * 60, dtype="category")
    frame["seen"] = pd.date_range("2024-01-01", periods=ROWS, freq="D")
    frame["is_new"] = [True, False] * 120
    frame.to_csv(tmp_path / "train.csv", index=False)
    pipeline = TrainingPipeline(
        {"target": "outcome", "algorithm": "LogisticRegression", "date_parts": ["month"]}
    )
    of_file = pipeline.execute(tmp_path / "train.csv", tmp_path / "a")
    of_frame = pipeline.execute(frame.set_index(frame.index + 7), tmp_path / "b")
    assert of_frame.features == of_file.features == ("amount_paid", "dose", "region", "is_new", "seen_month")
    assert of_frame.feature_importance.keys() == of_file.feature_importance.keys()
    assert (of_frame.n_rows_train, of_frame.dropped_columns) == (
        of_file.n_rows_train,
        of_file.dropped_columns,
    )


def test_a_baseline_that_an_earlier_release_stored_still_judges_batches():
    frame = a_table("cost", shapes()["fractions"])[["cost", "dose"]]
    stored = {**build_baseline(frame).to_dict(), "format_version": 1}
    detector = DriftDetector(stored)
    assert detector.baseline.format_version == 1
    assert detector.detect_drift(frame).verdict == "OK"
    assert detector.detect_drift(frame.assign(dose=frame["dose"] + 9)).verdict == "ALERT"


def test_a_frame_is_validated_as_the_file_that_pandas_writes_of_it(tmp_path: Path):
    frame = a_table("mrn", shapes()["whole numbers that differ"])
    frame.to_csv(tmp_path / "train.csv", index=False)
    of_file, of_frame = validate(tmp_path / "train.csv", SETTINGS), validate(frame, SETTINGS)
    assert of_frame == of_file
    assert of_frame.verdict == "accept"


def test_a_frame_is_scored_as_its_file(tmp_path: Path):
    frame = a_table("amount_paid", shapes()["whole numbers that differ"])
    frame["region"] = ["north ", "south", "NA"] * 80
    frame.to_csv(tmp_path / "train.csv", index=False)
    config = {"target": "outcome", "algorithm": "LogisticRegression", "id_columns": "amount_paid"}
    TrainingPipeline(config).execute(tmp_path / "train.csv", tmp_path / "model")
    pipeline = InferencePipeline(tmp_path / "model")
    of_file = pipeline.execute(tmp_path / "train.csv", tmp_path / "a")
    of_frame = pipeline.execute(frame, tmp_path / "b")
    assert of_frame.predictions_path.read_bytes() == of_file.predictions_path.read_bytes()
    assert of_frame.data_quality == of_file.data_quality
    assert of_frame.drift_report.drift_score == of_file.drift_report.drift_score


@pytest.mark.parametrize("name", ["created_at", "visit date", "timestamp", "comments", "nr", "lfd. Nr."])
def test_moments_remarks_and_numbers_of_rows_in_the_last_column_are_not_taken_for_the_target(
    name: str, tmp_path: Path
) -> None:
    frame = a_table("dose", shapes()["whole numbers that differ"])
    frame[name] = pd.date_range("2024-01-01", periods=len(frame)).strftime("%Y-%m-%d")
    frame.to_csv(tmp_path / "train.csv", index=False)
    assert validate(tmp_path / "train.csv").target == "outcome"
    assert load_table(tmp_path / "train.csv").target == "outcome"


def test_a_date_that_was_taken_for_the_target_is_refused_with_the_line_that_takes_another(
    tmp_path: Path,
) -> None:
    frame = a_table("dose", shapes()["whole numbers that differ"])
    frame["seen"] = pd.date_range("2024-01-01", periods=len(frame)).strftime("%Y-%m-%d")
    frame.to_csv(tmp_path / "train.csv", index=False)
    (refusal,) = validate(tmp_path / "train.csv").of_severity("reject")
    assert "holds dates" in refusal.message
    assert str(refusal.accept_with).startswith('target = "outcome"')
