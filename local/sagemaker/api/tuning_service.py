"""The operations on tuning jobs, and what they describe."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.sagemaker import tuning
from local.sagemaker.api.checks import Authorise, check_caller, check_waiting_time
from local.sagemaker.api.request_model import check_request
from local.sagemaker.errors import validation_error
from local.sagemaker.jobs import script_mode
from local.sagemaker.jobs.job import Job
from local.sagemaker.tuning import TuningJob

_NAME = "HyperParameterTuningJobName"
_STRATEGIES = ("Bayesian", "Random")


def call(operation: str, request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    """Do one of `OPERATIONS`; times in the answer are datetimes."""
    check_request(operation, request)
    if operation == "CreateHyperParameterTuningJob":
        return _create(request, authorise, arn)
    return _ANSWERS[operation](request)


def describe(job: TuningJob) -> dict[str, Any]:
    """Return the job as its Describe operation does."""
    with job.lock:
        trials = list(job.trials)
        described = {
            _NAME: job.name,
            "HyperParameterTuningJobArn": job.arn,
            "HyperParameterTuningJobConfig": job.config,
            "TrainingJobDefinition": job.definition,
            "HyperParameterTuningJobStatus": job.status,
            "CreationTime": job.created_at,
            "HyperParameterTuningEndTime": job.ended_at,
            "LastModifiedTime": job.modified_at,
            "TrainingJobStatusCounters": _counted(trials),
            "ObjectiveStatusCounters": _objectives(job),
            "BestTrainingJob": _best(job),
            "FailureReason": job.failure_reason,
            "ConsumedResources": {"RuntimeInSeconds": sum(trial.seconds_running() for trial, _ in trials)},
        }
    return {name: value for name, value in described.items() if value is not None}


def _create(request: dict[str, Any], authorise: Authorise, arn: str) -> dict[str, Any]:
    definition = request.get("TrainingJobDefinition")
    if definition is None:
        raise validation_error("The local cloud tunes one definition: give TrainingJobDefinition.")
    check_caller(str(definition["RoleArn"]), arn, authorise, has_tags=bool(request.get("Tags")))
    config = request["HyperParameterTuningJobConfig"]
    _check_config(config, definition)
    check_waiting_time(definition)
    now = datetime.now(UTC)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    tuning.start(TuningJob(request[_NAME], arn, request, now, now, tags=tags))
    return {"HyperParameterTuningJobArn": arn}


def _check_config(config: dict[str, Any], definition: dict[str, Any]) -> None:
    """Refuse what the service refuses, and clearly what would be ignored here."""
    if config["Strategy"] not in _STRATEGIES:
        raise validation_error(f"The local cloud draws at random: take one of {', '.join(_STRATEGIES)}.")
    if "MaxNumberOfTrainingJobs" not in config["ResourceLimits"]:
        raise validation_error("MaxNumberOfTrainingJobs is required for this strategy.")
    if not script_mode.is_requested(definition.get("StaticHyperParameters") or {}):
        raise validation_error(
            "A trial has no entry point of its own: give sagemaker_program and sagemaker_submit_directory "
            "(below /opt/ml) as static hyperparameters."
        )
    metric = (config.get("HyperParameterTuningJobObjective") or {}).get("MetricName")
    defined = {entry["Name"] for entry in definition["AlgorithmSpecification"].get("MetricDefinitions", [])}
    if metric not in defined:
        raise validation_error(f"The objective metric {metric} is not among the MetricDefinitions.")
    ranges = config.get("ParameterRanges") or {}
    names = [entry["Name"] for kind in ranges.values() for entry in kind]
    twice = {name for name in names if names.count(name) > 1}
    if not names or twice or set(names) & set(definition.get("StaticHyperParameters") or {}):
        raise validation_error("Each hyperparameter is named once, in one range or as a static one.")


def _stop(request: dict[str, Any]) -> dict[str, Any]:
    job = tuning.find(request[_NAME])
    if job.ended_at is not None:
        raise validation_error(f"The request was rejected because the tuning job is in status {job.status}.")
    tuning.stop(job)
    return {}


def _list(request: dict[str, Any]) -> dict[str, Any]:
    jobs = [job for job in tuning.all_tuning_jobs() if request.get("NameContains", "") in job.name]
    jobs = [job for job in jobs if request.get("StatusEquals") in (None, job.status)]
    jobs.sort(key=lambda job: job.created_at, reverse=request.get("SortOrder") != "Ascending")
    return _page(request, "HyperParameterTuningJobSummaries", [_job_summary(job) for job in jobs])


def _list_trials(request: dict[str, Any]) -> dict[str, Any]:
    job = tuning.find(request[_NAME])
    with job.lock:
        trials = [entry for entry in job.trials if request.get("StatusEquals") in (None, entry[0].status)]
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        trials.sort(key=lambda entry: (job.score(entry[0]) is not None, job.score(entry[0]) or 0.0))
    if request.get("SortOrder") == "Descending":
        trials.reverse()
    return _page(request, "TrainingJobSummaries", [_summary(job, *entry) for entry in trials])


def _page(request: dict[str, Any], name: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    start = int(request.get("NextToken") or 0)
    end = start + int(request.get("MaxResults") or 10)
    return {name: entries[start:end], **({"NextToken": str(end)} if end < len(entries) else {})}


def _job_summary(job: TuningJob) -> dict[str, Any]:
    described = describe(job)
    names = (
        *(_NAME, "HyperParameterTuningJobArn", "HyperParameterTuningJobStatus", "CreationTime"),
        *("HyperParameterTuningEndTime", "LastModifiedTime", "TrainingJobStatusCounters"),
        "ObjectiveStatusCounters",
    )
    limits = {"Strategy": job.config["Strategy"], "ResourceLimits": job.config["ResourceLimits"]}
    return {name: described[name] for name in names if name in described} | limits


def _summary(job: TuningJob, trial: Job, tuned: dict[str, str]) -> dict[str, Any]:
    score = job.score(trial)
    objective = {"MetricName": job.metric_name, "Value": score}
    summary = {
        "TrainingJobName": trial.name,
        "TrainingJobArn": trial.arn,
        "CreationTime": trial.created_at,
        "TrainingStartTime": trial.started_at,
        "TrainingEndTime": trial.ended_at,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": tuned,
        "FailureReason": trial.failure_reason,
        "FinalHyperParameterTuningJobObjectiveMetric": None if score is None else objective,
        "ObjectiveStatus": _objective(job, trial),
    }
    return {name: value for name, value in summary.items() if value is not None}


def _best(job: TuningJob) -> dict[str, Any] | None:
    is_smaller_better = job.config["HyperParameterTuningJobObjective"]["Type"] == "Minimize"
    scored = [(job.score(trial), trial, tuned) for trial, tuned in job.trials]
    ranked = [
        (-score if is_smaller_better else score, t, tuned) for score, t, tuned in scored if score is not None
    ]
    return _summary(job, *max(ranked, key=lambda entry: entry[0])[1:]) if ranked else None


def _objective(job: TuningJob, trial: Job) -> str:
    if not trial.is_final:
        return "Pending"
    return "Failed" if job.score(trial) is None else "Succeeded"


def _objectives(job: TuningJob) -> dict[str, int]:
    statuses = [_objective(job, trial) for trial, _ in job.trials]
    return {name: statuses.count(name) for name in ("Succeeded", "Pending", "Failed")}


def _counted(trials: list[tuple[Job, dict[str, str]]]) -> dict[str, int]:
    statuses = [trial.status for trial, _ in trials]
    return {
        "Completed": statuses.count("Completed"),
        "InProgress": statuses.count("InProgress") + statuses.count("Stopping"),
        "RetryableError": 0,
        "NonRetryableError": statuses.count("Failed"),
        "Stopped": statuses.count("Stopped"),
    }


_ANSWERS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "DescribeHyperParameterTuningJob": lambda request: describe(tuning.find(request[_NAME])),
    "StopHyperParameterTuningJob": _stop,
    "ListHyperParameterTuningJobs": _list,
    "ListTrainingJobsForHyperParameterTuningJob": _list_trials,
}
OPERATIONS = ("CreateHyperParameterTuningJob", *_ANSWERS)
