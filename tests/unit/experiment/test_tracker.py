"""Finding runs again: lists, conditions, the best one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mlops.experiment.conditions import parse_where
from mlops.experiment.factory import open_store
from mlops.experiment.files import LocalRunFiles, ObjectRunFiles
from mlops.models.errors import ExperimentError, RunNotFoundError
from mlops.models.experiment import RunFailure

GROUP = "adherence"


@pytest.fixture
def three_runs(tracker):
    """run-1 finished, run-2 finished and better, run-3 failed with the best score of all."""
    with tracker.start_run(GROUP, params={"algorithm": "RandomForest", "depth": 3, "on": True}) as run:
        run.log_metrics({"roc_auc": 0.70, "loss": 0.4})
    with tracker.start_run(GROUP, name="deep one", params={"algorithm": "XGBoost", "depth": 10}) as run:
        run.log_metrics({"roc_auc": 0.80, "loss": 0.6})
        run.set_tags({"who": "ada", "with space": "a and b"})
    failed = tracker.start_run(GROUP, params={"algorithm": "XGBoost"})
    failed.log_metric("roc_auc", 0.99)
    failed.end_run("failed", RunFailure("TrainingError", "No target."))
    return tracker


def test_runs_are_listed_last_started_first_up_to_the_limit(three_runs):
    assert [run.run_id for run in three_runs.list_runs(GROUP)] == ["run-3", "run-2", "run-1"]
    assert [run.run_id for run in three_runs.list_runs(GROUP, limit=1)] == ["run-3"]
    assert three_runs.groups() == [GROUP]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", "321"),
        ("metrics.roc_auc > 0.7", "32"),
        ("metrics.roc_auc >= 0.7", "321"),
        ("metrics.loss<=0.4", "1"),
        ("params.algorithm = 'XGBoost'", "32"),
        ('params.algorithm = "XGBoost" AND status = FINISHED', "2"),
        ("attributes.status != 'failed'", "21"),
        ("params.depth = 10", "2"),
        ("params.depth < 5", "1"),
        ("params.depth != 3", "32"),
        ("params.on = true", "1"),
        ("tags.who = ada", "2"),
        ("tags.`with space` = 'a and b'", "2"),
        ("name = 'deep one'", "2"),
        ("error_type = TrainingError", "3"),
        ("error_type != TrainingError", "21"),
        ("started_at >= 2027", ""),
        ("metrics.unknown > 0", ""),
    ],
)
def test_conditions_select(three_runs, where, expected):
    selected = three_runs.list_runs(GROUP, where=where)
    assert "".join(run.run_id[-1] for run in selected) == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("metrics.roc_auc", "cannot be read from 'metrics.roc_auc' on"),
        ("metrics.roc_auc > 0.7 or status = failed", "cannot be read from"),
        ("status = failed and", "cannot be read from"),
        ("metrics.a > 1; drop", "cannot be read from"),
        ("colour = red", "no 'colour' to compare; there are run_id"),
        ("metrics.roc_auc > high", "is a number, so compare it with one, not with 'high'"),
    ],
)
def test_a_condition_that_makes_no_sense_is_explained(three_runs, where, message):
    with pytest.raises(ExperimentError, match=message):
        three_runs.list_runs(GROUP, where=where)


def test_conditions_are_read_as_written():
    first, second = parse_where("metrics.a-b.c >= -1e-3 and tags.x != 'it is = \"so\"'")
    assert (first.kind, first.name, first.operator, first.value) == ("metrics", "a-b.c", ">=", "-1e-3")
    assert second.value == 'it is = "so"'


def test_the_best_run_is_a_finished_one(three_runs):
    assert three_runs.best_run(GROUP, "roc_auc").run_id == "run-2"
    assert three_runs.best_run(GROUP, "loss", greater_is_better=False).run_id == "run-1"
    assert three_runs.best_run(GROUP, "roc_auc", where="params.depth < 5").run_id == "run-1"


def test_of_equal_runs_the_first_is_the_best(tracker):
    for _ in range(3):
        with tracker.start_run(GROUP) as run:
            run.log_metric("f1", 0.5)
    assert tracker.best_run(GROUP, "f1").run_id == "run-1"


def test_a_run_whose_metric_is_no_number_is_never_the_best(tracker):
    for value in (0.1, float("nan")):
        with tracker.start_run(GROUP) as run:
            run.log_metric("f1", value)
    assert tracker.best_run(GROUP, "f1").run_id == "run-1"


def test_what_is_missing_is_answered_with_what_is_there(three_runs):
    with pytest.raises(RunNotFoundError, match="there are: loss, roc_auc"):
        three_runs.best_run(GROUP, "rocauc")
    with pytest.raises(RunNotFoundError, match="Did you mean 'run-3'"):
        three_runs.get_run(GROUP, "run-33")
    with pytest.raises(RunNotFoundError, match="The newest is run-3"):
        three_runs.get_run(GROUP, "zzzzzzzzzz")
    with pytest.raises(RunNotFoundError, match="Did you mean 'adherence'"):
        three_runs.get_run("adherense", "run-1")
    with pytest.raises(ExperimentError, match="cannot be the id of a run"):
        three_runs.get_run(GROUP, "../../etc")


def test_tags_of_a_run_that_has_ended_may_change(three_runs):
    three_runs.set_tags(GROUP, "run-1", {"model_version": "v1.0.0"})
    assert three_runs.get_run(GROUP, "run-1").tags == {"model_version": "v1.0.0"}


def test_the_environment_decides_where_runs_are(tmp_path, aws):
    stack = {"REGISTRY_TABLE_NAME": "t", "ARTIFACT_BUCKET_NAME": "b"}

    def files(directory=None, **variables: str) -> object:
        return open_store(directory, variables=variables).files(GROUP, "one")

    assert isinstance(files(), LocalRunFiles)
    assert isinstance(files(**stack), ObjectRunFiles)
    assert isinstance(files(tmp_path, **stack), LocalRunFiles)
    assert isinstance(files(REGISTRY_TABLE_NAME="t"), LocalRunFiles)


def test_the_package_is_imported_without_numpy_and_boto3():
    code = (
        "import sys, mlops.experiment, mlops.cli.runs\n"
        "print(*{'numpy', 'pandas', 'boto3', 'botocore'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == ""
