"""The settings of a SageMaker tuning job: a search each of whose trials is a training job of its own.

SageMaker gives such a job no entry point, so a trial starts in the image's script mode: the program and the
folder that contains it travel as hyperparameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlops.algorithms.contenders import candidates
from mlops.algorithms.selection import algorithm, search_space
from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings, TaskName
from mlops.models.settings.hyperparameter import settings_hyperparameters
from mlops.models.settings.search import is_range, spans_magnitudes

# The score of a trial, as its log says it and as the service finds it there.
OBJECTIVE = "out_of_fold"
TRIALS_CHANNEL = "trials"

_MAX_TRIALS = 750  # of a Bayesian search
_MAX_NAMES = 30
_MAX_CHOICES = 30
_LONGEST_CHOICE = 256


def objective_line(score: float) -> str:
    """Return the line of a trial's log that contains its score; greater is better."""
    return f"trial {OBJECTIVE}={score:.12g}"


def tuning_job(
    settings: GroupSettings,
    task: TaskName | None,
    *,
    name: str,
    channels: Sequence[Mapping[str, Any]],
    output_uri: str,
    parallel_trials: int,
) -> dict[str, Any] | None:
    """Return everything about the tuning job that depends on the request; None when there is to be none.

    There is none without a search or a task, and where the deployment or the team keeps searches inside the
    training job. With `auto` the contender with most to tune is tuned; the training job judges the others
    beside it.

    Parameters
    ----------
    settings, task
        Those of the group, and what the target asks for: the ranges of some algorithms depend on it.
    name
        The name of the job, to which the state machine adds its attempt.
    channels, output_uri
        What trials read (no champion, because a trial is not compared with it), and where they may write.
    parallel_trials
        How many trials run at once; 0 = searches stay inside the training job.

    Raises
    ------
    SettingsError
        If there is nothing to search for, a tuning job cannot take the search, or the settings are too long.
    """
    search, known_task = settings.search, settings.task or task
    if search is None or not search.tuning_job or not parallel_trials or known_task is None:
        return None
    tuned, space = _tuned(settings, known_task)
    _check(search.trials, space)
    return {
        "job_name": name,
        "algorithm": tuned.algorithm,
        "config": _config(space, search.trials, parallel_trials, seed=settings.seed),
        "metric_definitions": [{"Name": OBJECTIVE, "Regex": rf"trial {OBJECTIVE}=(\S+)"}],
        "hyperparameters": _hyperparameters(tuned),
        "input_data_config": list(channels),
        "output_uri": output_uri,
    }


def _hyperparameters(tuned: GroupSettings) -> dict[str, str]:
    """Return what is the same for every trial: it has no search of its own, and starts in script mode."""
    return {
        **settings_hyperparameters(replace(tuned, search=None)),
        "trial": "true",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "/opt/ml/input/data/code",
    }


def _config(
    space: Mapping[str, Sequence[Any]], n_trials: int, parallel_trials: int, *, seed: int
) -> dict[str, Any]:
    return {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": n_trials,
            "MaxParallelTrainingJobs": min(parallel_trials, n_trials),
        },
        "ParameterRanges": parameter_ranges(space),
        "RandomSeed": seed,
    }


def parameter_ranges(space: Mapping[str, Sequence[Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return what is tried in the form of the service: ranges of whole and of other numbers, and choices.

    Choices are written as JSON, so that a trial reads back a number as a number and a text as a text.
    """
    ranges: dict[str, list[dict[str, Any]]] = {}
    for name, values in space.items():
        if not is_range(values):
            entry = {"Name": name, "Values": [json.dumps(value) for value in values]}
            ranges.setdefault("CategoricalParameterRanges", []).append(entry)
            continue
        kind = "Integer" if all(isinstance(value, int) for value in values) else "Continuous"
        low, high = values
        scaling = "Logarithmic" if spans_magnitudes(values) else "Linear"
        bounds = {"Name": name, "MinValue": str(low), "MaxValue": str(high), "ScalingType": scaling}
        ranges.setdefault(f"{kind}ParameterRanges", []).append(bounds)
    return ranges


def _tuned(settings: GroupSettings, task: TaskName) -> tuple[GroupSettings, Mapping[str, Sequence[Any]]]:
    """Return the contender with most to tune, the first of several, without what makes it a contender."""
    contenders = {contender.algorithm: contender for contender in reversed(candidates(settings, task))}
    if len(contenders) == 1:
        (only,) = contenders.values()
        return only, search_space(only, task, settings.hyperparameters)
    spaces = {name: algorithm(name).spec(task).space for name in contenders}
    name = max(spaces, key=lambda candidate: len(spaces[candidate]))
    tuned = replace(settings, algorithm=name)
    return tuned, search_space(tuned, task, settings.hyperparameters)


def _check(trials: int, space: Mapping[str, Sequence[Any]]) -> None:
    problem = next(_problems(trials, space), None)
    if problem is not None:
        raise SettingsError(
            f"{problem} Change [search] in model.toml; with tuning_job = false in it the search stays inside "
            "the training job, which has no such limit."
        )


def _problems(trials: int, space: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    if trials > _MAX_TRIALS:
        yield f"search.trials is {trials} and a tuning job takes {_MAX_TRIALS}."
    if len(space) > _MAX_NAMES:
        yield f"search.space has {len(space)} hyperparameters and a tuning job takes {_MAX_NAMES}."
    for name, values in space.items():
        if len(values) > _MAX_CHOICES:
            yield f"search.space.{name} has {len(values)} choices and a tuning job takes {_MAX_CHOICES}."
        if any(len(json.dumps(value)) > _LONGEST_CHOICE for value in values):
            yield f"search.space.{name} has a choice of more than {_LONGEST_CHOICE} characters."
