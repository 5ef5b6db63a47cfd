"""What a tuning job is given: ranges, limits, names, and when there is none at all."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sagemaker.api.request_model import check_request
from mlops.models.errors import SettingsError
from mlops.models.objects import ObjectRef
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.pipelines.jobs.training_job import (
    JobInputs,
    Machine,
    TrainingRequest,
    prepare_training,
    tuning_name,
)
from mlops.pipelines.jobs.training_source import Source
from mlops.pipelines.jobs.tuning_job import objective_line, parameter_ranges, tuning_job

DATASET = ObjectRef("bucket", "datasets/g/data.csv")
SPACE = {"max_depth": [2, 9], "learning_rate": [0.01, 0.3], "subsample": [0.5, 1.0], "booster": ["a", "b"]}


def settings(**document) -> GroupSettings:
    return GroupSettings.from_config(document)


def job_of(settings: GroupSettings, task: TaskName | None = "binary", parallel: int = 3) -> dict | None:
    return tuning_job(
        settings, task, name="g-1", channels=[], output_uri="s3://b/t/", parallel_trials=parallel
    )


def prepared(given: GroupSettings, parallel: int = 3, **request) -> dict:
    requested = TrainingRequest("a-group", DATASET, "d" * 64, "t" * 32, given, task="binary", **request)
    machine = Machine("ml.m5.large", 3600, parallel_trials=parallel)
    source, row_key = Source("s3://b/code/", "c" * 64), ObjectRef("b", "row-keys/a-group/key")
    return prepare_training(requested, JobInputs(source, row_key), "b", machine=machine)


XGBOOST = settings(target="y", algorithm="XGBoost", search={"trials": 10})


def test_ranges_keep_their_kind_and_their_scale():
    ranges = parameter_ranges(SPACE)
    (depth,) = ranges["IntegerParameterRanges"]
    assert (depth["MinValue"], depth["MaxValue"], depth["ScalingType"]) == ("2", "9", "Linear")
    rate, sample = ranges["ContinuousParameterRanges"]
    assert (rate["Name"], rate["ScalingType"]) == ("learning_rate", "Logarithmic")
    assert (sample["Name"], sample["ScalingType"]) == ("subsample", "Linear")
    assert ranges["CategoricalParameterRanges"] == [{"Name": "booster", "Values": ['"a"', '"b"']}]


@pytest.mark.property
@given(st.lists(st.one_of(st.booleans(), st.text(max_size=9), st.integers(0, 9)), min_size=3, max_size=9))
def test_a_trial_reads_back_the_choice_that_was_written(values: list):
    (entry,) = parameter_ranges({"kind": values})["CategoricalParameterRanges"]
    read = [settings(algorithm="RandomForest", kind=text).hyperparameters["kind"] for text in entry["Values"]]
    assert read == values
    assert [type(value) for value in read] == [type(value) for value in values]


def test_the_service_takes_the_request_that_the_state_machine_makes():
    tuning = prepared(XGBOOST)["tuning"]
    request = {
        "HyperParameterTuningJobName": f"{tuning['job_name']}-999-999",
        "HyperParameterTuningJobConfig": tuning["config"],
        "TrainingJobDefinition": {
            "RoleArn": "arn:aws:iam::123456789012:role/job",
            "AlgorithmSpecification": {
                "TrainingInputMode": "File",
                "MetricDefinitions": tuning["metric_definitions"],
            },
            "StaticHyperParameters": tuning["hyperparameters"],
            "InputDataConfig": tuning["input_data_config"],
            "OutputDataConfig": {"S3OutputPath": tuning["output_uri"]},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    }
    check_request("CreateHyperParameterTuningJob", request)
    assert tuning["config"]["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 10, "MaxParallelTrainingJobs": 3}
    assert tuning["config"]["HyperParameterTuningJobObjective"]["Type"] == "Maximize"


def test_the_service_finds_the_score_in_the_line_that_a_trial_prints():
    (definition,) = job_of(XGBOOST)["metric_definitions"]
    for score in (0.7312345678, -1234.5, 1e-9, -3.2e7):
        assert float(re.search(definition["Regex"], objective_line(score))[1]) == pytest.approx(score)


def test_a_trial_gets_the_settings_without_the_search():
    sent = json.loads(job_of(replace(XGBOOST, hyperparameters={"gamma": 0.5}))["hyperparameters"]["settings"])
    assert "search" not in sent
    trial = GroupSettings.from_config({"settings": json.dumps(sent), "max_depth": "4"})
    assert trial.hyperparameters == {"gamma": 0.5, "max_depth": 4}
    assert (trial.algorithm, trial.target) == ("XGBoost", "y")


def test_what_is_set_is_not_searched_for():
    ranges = job_of(replace(XGBOOST, hyperparameters={"max_depth": 3}))["config"]["ParameterRanges"]
    assert "max_depth" not in {entry["Name"] for kind in ranges.values() for entry in kind}


def test_ranges_name_the_algorithm_of_a_search_that_names_none():
    job = job_of(settings(search={"space": {"max_leaf_nodes": [4, 64]}}))
    assert json.loads(job["hyperparameters"]["settings"])["algorithm"] == "RandomForest"


@pytest.mark.parametrize(
    "given",
    [
        settings(algorithm="XGBoost"),
        settings(algorithm="XGBoost", search={"tuning_job": False}),
    ],
)
def test_without_a_search_or_with_one_that_stays_inside_no_tuning_job_starts(given):
    assert job_of(given) is None


def test_a_search_stays_inside_the_job_where_the_deployment_does_not_ask_for_more():
    assert job_of(XGBOOST, parallel=0) is None


@pytest.mark.parametrize(("task", "name"), [("binary", "C"), ("multiclass", "C"), ("regression", "alpha")])
def test_the_ranges_are_those_of_the_task(task: TaskName, name: str):
    given = settings(algorithm="LogisticRegression", search={"trials": 5})
    for job in (job_of(given, task), job_of(replace(given, task=task), None)):
        assert job["config"]["ParameterRanges"]["ContinuousParameterRanges"][0]["Name"] == name


def test_a_search_whose_task_is_unknown_stays_inside_the_job():
    assert job_of(settings(algorithm="LogisticRegression", search={"trials": 5}), None) is None


def test_an_algorithm_with_nothing_to_search_for_is_refused():
    with pytest.raises(SettingsError, match="leaves nothing to search for"):
        job_of(settings(algorithm="LinearRegression", search={"trials": 5}), "regression")


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_of_the_contenders_the_one_with_most_to_tune_is_tuned(task: TaskName):
    job = job_of(settings(search={"trials": 5}, class_weight="balanced"), task)
    sent = json.loads(job["hyperparameters"]["settings"])
    assert (job["algorithm"], sent["algorithm"]) == ("XGBoost", "XGBoost")
    assert sent["hyperparameters"] == {"class_weight": "balanced"}
    assert len(job["config"]["ParameterRanges"]["IntegerParameterRanges"]) > 1


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"trials": 751}, "search.trials is 751 and a tuning job takes 750"),
        ({"space": {"max_features": [0.1 * n for n in range(31)]}}, "31 choices and a tuning job takes 30"),
        ({"space": {"criterion": ["a", "b" * 300]}}, "more than 256 characters"),
    ],
)
def test_a_search_too_large_for_a_tuning_job_is_refused_with_a_way_out(search: dict, message: str):
    with pytest.raises(SettingsError, match=message) as refused:
        job_of(settings(algorithm="RandomForest", search=search))
    assert "tuning_job = false" in str(refused.value)
    inside = {**search, "tuning_job": False}
    assert job_of(settings(algorithm="RandomForest", search=inside)) is None


@pytest.mark.property
@given(st.text(min_size=1, max_size=64), st.text(max_size=40), st.text(max_size=80))
def test_a_tuning_name_fits_with_its_attempt_and_differs_between_trainings(
    group: str, training: str, execution: str
):
    request = TrainingRequest(group, DATASET, "d", training, execution_name=execution)
    name = tuning_name(request)
    assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}", f"{name}-999-999")
    assert name == tuning_name(request)
    assert name != tuning_name(replace(request, execution_name=execution + "x"))
    assert name != tuning_name(replace(request, training_id=training + "x"))


def test_the_estimate_includes_the_trials():
    alone, with_trials = prepared(XGBOOST, parallel=0), prepared(XGBOOST)
    assert with_trials["estimated_cost_usd"] == pytest.approx(11 * alone["estimated_cost_usd"], rel=1e-3)
    assert with_trials["expected_seconds"] == alone["expected_seconds"]


def test_a_trial_sees_no_champion():
    tuning = prepared(XGBOOST)["tuning"]
    assert [channel["ChannelName"] for channel in tuning["input_data_config"]] == ["code", "training"]
    assert not {name for name in tuning["hyperparameters"] if name.startswith("champion")}
