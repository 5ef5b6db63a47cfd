"""Single trials of a search: judging one combination, and taking the best of those judged elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from mlops.algorithms.contenders import candidates, installed_candidates
from mlops.algorithms.cores import using_cores
from mlops.algorithms.selection import effective_hyperparameters
from mlops.models.dataset import Contract
from mlops.models.errors import TrainingError
from mlops.models.settings.group import GroupSettings
from mlops.models.training import Trial
from mlops.pipelines.features.training_rows import TrainingRows, prepare_rows
from mlops.pipelines.fitting.date_choice import choose_date_parts
from mlops.pipelines.fitting.out_of_fold import Sample, training_sample
from mlops.pipelines.fitting.searching import MAX_ROWS, Search, judge_combinations
from mlops.pipelines.jobs.trial_jobs import TRIALS_FILENAME


@dataclass(frozen=True, slots=True)
class TriedElsewhere:
    """What a tuning job has tried of one algorithm: trials with a score, and sentences about the others."""

    algorithm: str
    trials: tuple[Trial, ...]
    notes: tuple[str, ...] = ()


def judge_trial(
    data_path: str | Path,
    settings: GroupSettings,
    contract: Contract | None = None,
    *,
    n_jobs: int | None = None,
) -> float:
    """Return the primary score of one combination of hyperparameters, out of fold on the training rows.

    The rows that will be held out from the training are held out here too, so they never steer a search.

    Parameters
    ----------
    data_path
        The training file, or a directory that contains one.
    settings
        The group's, with the hyperparameters to be judged, and without a search.
    contract
        The contract of the dataset, when it came through intake.
    n_jobs
        The cores to use, None for all that the process may use.

    Returns
    -------
    float
        That of all rows together; greater is better.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table.
    TrainingError
        If nothing can be learned from it, or with these hyperparameters.
    """
    with using_cores(n_jobs):
        rows = choose_date_parts(prepare_rows(data_path, settings, contract))
        return _judge(_sample(rows), settings, rows.settings).score


def read_trials(folder: Path) -> TriedElsewhere:
    """Read what was collected from a tuning job.

    Raises
    ------
    TrainingError
        If the document is not there or not readable.
    """
    try:
        document = json.loads((folder / TRIALS_FILENAME).read_bytes())
        name = str(document["algorithm"])
        trials = tuple(
            Trial(entry["hyperparameters"], float(entry["score"]), 0, name) for entry in document["trials"]
        )
        n_failed, reason = int(document["n_failed"]), str(document["reason"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(
            f"The trials of the tuning job cannot be read: {type(error).__name__}."
        ) from error
    if not n_failed:
        return TriedElsewhere(name, trials)
    note = f"{n_failed} of {n_failed + len(trials)} trials of the search have no score. {reason}".strip()
    return TriedElsewhere(name, trials, (note,))


def take_best(rows: TrainingRows, tried: TriedElsewhere) -> Search:
    """Return the settings with the best hyperparameters of a tuning job, and all that was tried.

    What the settings say without a search, or our defaults, is judged here in the same way and is one of the
    trials, with `auto` for every contender: a tuning job cannot start from it.
    """
    contenders = [replace(one, search=None) for one in installed_candidates(rows.settings, rows.problem.task)]
    own = rows.settings.hyperparameters
    sample = _sample(rows)
    entries = [(_judge(sample, one, rows.settings), one) for one in contenders]
    tuned = replace(rows.settings, algorithm=tried.algorithm, search=None)
    n_rows = entries[0][0].n_rows
    for trial in tried.trials:
        settings = replace(tuned, hyperparameters={**own, **trial.hyperparameters})
        entries.append((replace(trial, n_rows=n_rows), settings))
    entries.sort(key=lambda entry: -entry[0].score)
    best = entries[0][1]
    stated = effective_hyperparameters(best, rows.problem.task)  # so that nothing is left to choose
    return Search(replace(best, hyperparameters=stated), tuple(trial for trial, _ in entries))


def _sample(rows: TrainingRows) -> Sample:
    """Return as many rows as the last round of a search inside the job looks at."""
    return training_sample(rows).of_size(MAX_ROWS)


def _judge(sample: Sample, settings: GroupSettings, stated: GroupSettings) -> Trial:
    """Judge on every fold, as that round does; say what is tried beside what is stated."""
    chosen = candidates(settings, sample.task)[0]
    (judged,) = judge_combinations(sample, (chosen,))
    changed = {n: v for n, v in chosen.hyperparameters.items() if stated.hyperparameters.get(n) != v}
    return Trial(changed, judged.score, len(judged.sample.y), chosen.algorithm)
