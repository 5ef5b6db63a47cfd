"""Rules on the group's settings, as far as a file shows whether they can be trained with."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.algorithms.accepted_combinations import target_problem
from mlops.algorithms.selection import check_settings, too_many_rows
from mlops.dataset.privacy import shown
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.target import class_plan, task_of
from mlops.models.errors import SettingsError
from mlops.models.settings.hyperparameter import settings_hyperparameters
from mlops.models.settings.nearest import nearest
from mlops.models.settings.prediction import tables_of_another_task
from mlops.models.target.class_plan import cost_problem

_CORRECT = "Correct model.toml and drop the file again."
_MIN_SHARE = 0.1  # of the rows that the smallest file must have


@rule("untrainable_settings", "The settings ask for what there is not, or are too long for a training job.")
def untrainable_settings(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse what the training job would refuse an hour later."""
    if not survey.is_training:
        return
    try:
        check_settings(survey.settings, task_of(survey))
        settings_hyperparameters(survey.settings)
    except SettingsError as error:
        yield RuleFinding("reject", f"model.toml cannot be trained with: {error}", advice=_CORRECT)
    target = survey.target_column
    if target is not None and target.has_range and task_of(survey) == "regression":
        problem = target_problem(survey.settings.hyperparameters, target.range.minimum)
        if problem:
            message = f"model.toml cannot be trained with: In [hyperparameters], {problem}."
            yield RuleFinding("reject", message, column=target.name, advice=_CORRECT)


@rule("rows_of_settings", "A hyperparameter needs more rows than a fit has.")
def rows_of_settings(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse counts of rows, such as `min_samples_leaf`, that no fit on this file has."""
    task, settings = task_of(survey), survey.settings
    if not survey.is_training or task is None or survey.n_rows < survey.limits.min_rows:
        return
    try:
        problem = too_many_rows(settings, task, _rows_of_a_fit(survey))
    except SettingsError:
        return  # said by `untrainable_settings`
    if problem:
        yield RuleFinding("reject", f"model.toml cannot be trained with: {problem}.", advice=_CORRECT)


def _rows_of_a_fit(survey: Survey) -> int:
    """Return the labelled rows that are left when those to test on and those of a fold are held out."""
    from mlops.models.training import N_FOLDS  # noqa: PLC0415  12 ms that a file to score does not need

    target = survey.target_column
    n_labelled = survey.n_rows - (target.n_missing if target else 0)
    return int(n_labelled * (1 - survey.settings.test_fraction) * (1 - 1 / N_FOLDS))


@rule("held_out_rows", "The settings leave too few rows to learn from, or too few to score on.")
def held_out_rows(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a share of held-out rows with which a training cannot work in a file of this size."""
    held_out = survey.n_rows * survey.settings.test_fraction
    smaller = min(held_out, survey.n_rows - held_out)
    needed = survey.limits.min_rows * _MIN_SHARE
    if survey.is_training and survey.n_rows >= survey.limits.min_rows and smaller < needed:
        message = (
            f"test_fraction = {survey.settings.test_fraction:g} leaves {survey.n_rows - held_out:,.0f} of"
            f" {survey.n_rows:,} rows to learn from and {held_out:,.0f} to score on; each needs {needed:g}."
        )
        yield RuleFinding("reject", message, advice=_CORRECT)


@rule("gate_scores", "The gate has a rule on a score that the task does not have.")
def gate_scores(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse gates that no model of this target could pass."""
    task = task_of(survey)
    if not survey.is_training or task is None:
        return
    from mlops.models.training import SCORES_OF_TASK  # noqa: PLC0415  see `_rows_of_a_fit`

    scores = SCORES_OF_TASK[task]
    for name in survey.settings.gate:
        if name not in scores:
            kind = {"binary": "two classes", "multiclass": "several classes", "regression": "numbers"}[task]
            message = (
                f"model.toml has a gate rule on {shown(name, 40)}, which a target of {kind} does not have."
            )
            yield RuleFinding("reject", message, advice=f"{nearest(name, scores)} {_CORRECT}")


@rule("prediction_settings", "The settings have a threshold, costs or intervals that the task does not have.")
def prediction_settings(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse `[threshold]` without two classes, `[classes.costs]` without more, `[intervals]` of classes."""
    task = task_of(survey)
    if not survey.is_training or task is None:
        return
    settings = survey.settings
    for sentence in tables_of_another_task(settings.threshold, settings.intervals, settings.classes, task):
        yield RuleFinding("reject", sentence, advice=f"Remove the table. {_CORRECT}")
    plan = class_plan(survey)
    if plan and (problem := cost_problem(plan, settings, quoted=lambda text: shown(text, 40))):
        yield RuleFinding("reject", f"model.toml cannot be trained with: {problem}", advice=_CORRECT)
