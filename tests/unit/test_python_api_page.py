"""The Python blocks of docs/reference/python-api.md run, from top to bottom, and do what the page says.

The files that the page names are those of an example, and the folders of a container are folders of the test.
"""

from __future__ import annotations

import ast
import json
import os
import re
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops.infrastructure.aws.clients import client
from mlops.models import data_models
from mlops.registry.model_registry import ModelRegistry

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "medication-adherence"
PAGE = REPOSITORY / "docs" / "reference" / "python-api.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_KNOWN_ONLY_LATER = ["days", "cens", "r", "cd420", "cd496", "cd820"]
N_SCORED = 843  # rows of score_drifted.csv
NEEDS_AWS = "use_dynamodb=True"

# every public call: a class with the names of its arguments, then a method with those of its arguments
PROMISED_CALLS = {
    ("TrainingPipeline", 1, ()),
    ("execute", 0, ("data_path", "output_path")),
    ("execute", 2, ()),
    ("InferencePipeline", 0, ("model_path", "baseline_path")),
    ("InferencePipeline", 2, ()),
    ("execute", 0, ("input_path", "output_path")),
    ("load_baseline_statistics", 1, ()),
    ("DriftDetector", 1, ("threshold",)),
    ("detect_drift", 1, ()),
    ("publish_metrics", 1, ()),
    ("ModelRegistry", 0, ()),
    ("ModelRegistry", 0, ("use_dynamodb",)),
    (
        "register_model", 0,
        ("model_group", "model_artifact_path", "metrics", "hyperparameters", "dataset_version", "algorithm"),
    ),
    ("approve_model", 2, ()),
    ("compare_models", 3, ()),
}  # fmt: skip


@dataclass
class Page:
    """The page after its blocks were run: their names, and what each printed, by a text that it contains."""

    folder: Path
    names: dict[str, Any]
    printed: dict[str, str] = field(default_factory=dict)

    def run(self, block: str) -> None:
        """Run a block in the folder of the test."""
        output = StringIO()
        source = re.sub(r'"/(opt|tmp)/', rf'"{self.folder}/\1/', block)
        with chdir(self.folder), redirect_stdout(output):
            exec(compile(source, str(PAGE), "exec"), self.names)
        self.printed[block] = output.getvalue()

    def output_of(self, marker: str) -> str:
        """Return what the block that contains a text printed."""
        [output] = [text for block, text in self.printed.items() if marker in block]
        return output


def blocks() -> list[str]:
    return _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    folder = tmp_path_factory.mktemp("page")
    train = pd.read_csv(EXAMPLE / "train.csv").drop(columns=_KNOWN_ONLY_LATER)
    score = pd.read_csv(EXAMPLE / "score_drifted.csv")
    for path, frame in (
        ("data/train.csv", train),
        ("data/inference.csv", score),
        ("opt/ml/input/data/training/train.csv", train),
        ("opt/ml/input/data/inference/data.csv", score),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(folder / path, index=False)
    ran = Page(folder, {"__name__": "__main__"})
    with pytest.MonkeyPatch.context() as variables:
        # a container passes every hyperparameter as text
        variables.setenv("SM_HPS", json.dumps({"algorithm": "RandomForest", "n_estimators": "25"}))
        for block in blocks():
            if NEEDS_AWS not in block:
                ran.run(block)
    return ran


def test_the_page_makes_every_promised_call():
    calls = [node for block in blocks() for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Call)]
    made = {
        (
            node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func),
            len(node.args),
            tuple(str(keyword.arg) for keyword in node.keywords),
        )
        for node in calls
    }
    assert made >= PROMISED_CALLS


def test_training_takes_the_settings_and_writes_the_model(page: Page):
    assert page.output_of('"max_depth": 10').startswith("RandomForest ")
    assert page.names["settings"]["n_estimators"] == 100
    assert (page.folder / "models" / "baseline_statistics.json").is_file()


def test_scoring_writes_one_prediction_for_every_row(page: Page):
    scored = page.names["scored"]
    assert scored.n_rows == N_SCORED
    assert scored.predictions_path.is_relative_to("predictions")
    assert len(pd.read_csv(page.folder / scored.predictions_path)) == N_SCORED


def test_scoring_reports_the_drift_of_another_population(page: Page):
    assert "preanti" in page.output_of("Changed inputs:")


def test_the_detector_and_its_metrics_agree(page: Page):
    report = page.names["report"]
    assert report.verdict == "ALERT"
    assert {"preanti", "str2", "z30"} <= set(report.features_with_drift)
    assert page.names["metrics"]["overall_drift_score"] == report.drift_score > 0.1


def test_the_registry_in_files_keeps_what_was_registered(page: Page):
    registry = ModelRegistry(root=page.folder / "model-registry")
    model = registry.get_model("adherence", "v1.0.0")
    assert model.algorithm == "RandomForest"
    assert model.metrics == page.names["result"].metrics
    assert model.hyperparameters["n_estimators"] == 100


def test_the_registry_in_dynamodb_approves_and_compares(
    page: Page, aws: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGISTRY_TABLE_NAME", "registry")
    keys = {"pk": "HASH", "sk": "RANGE"}
    client("dynamodb").create_table(
        TableName="registry",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    [block] = [block for block in blocks() if NEEDS_AWS in block]
    page.run(block)
    assert page.names["newest"].version == "v1.0.1"
    assert page.names["shared"].get_model("adherence", "v1.0.0").status == "Approved"
    assert page.names["comparison"] is not None


def test_a_training_job_takes_hyperparameters_as_text(page: Page):
    assert page.names["trained"].hyperparameters["n_estimators"] == 25
    assert (page.folder / "opt" / "ml" / "model" / "manifest.json").is_file()


def test_a_scoring_job_uses_the_model_of_the_training_job(page: Page):
    assert page.names["batch"].n_rows == N_SCORED
    assert (page.folder / "opt" / "ml" / "output" / "predictions.csv").is_file()


def test_the_lambda_handler_trains(page: Page):
    (page.folder / "tmp").mkdir()
    config = {"algorithm": "XGBoost", "n_estimators": 10}
    event = {"config": config, "data_path": os.fspath(page.folder / "data" / "train.csv")}
    answer = page.names["lambda_handler"](event, None)
    assert answer["algorithm"] == "XGBoost"
    assert 0.5 < answer["roc_auc"] < 1.0


def test_the_types_of_the_results_are_those_of_the_package(page: Page):
    types = {name for name in data_models.__all__ if page.names.get(name) is getattr(data_models, name)}
    assert types == set(data_models.__all__)
    assert isinstance(page.names["result"], data_models.TrainingResult)
    assert isinstance(page.names["scored"], data_models.InferenceResult)
    assert isinstance(page.names["baseline"], data_models.BaselineStatistics)
    assert isinstance(page.names["report"], data_models.DriftReport)


def test_the_short_names_are_the_same_objects(page: Page):
    import mlops

    for name in mlops.__all__:
        if not name.startswith("_"):
            assert page.names[name] is getattr(mlops, name)
    assert page.names["accepted"] is True
