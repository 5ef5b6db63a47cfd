"""Rules on the group's settings, as far as a file shows whether they can be trained with."""

from __future__ import annotations

from collections.abc import Iterable

from mlops.algorithms.selection import check_settings
from mlops.dataset.privacy import shown
from mlops.dataset.validation.rule import RuleFinding, rule
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.target import task_of
from mlops.models.errors import SettingsError
from mlops.models.nearest import nearest
from mlops.models.settings.hyperparameter import settings_hyperparameters
from mlops.models.training import SCORES_OF_TASK

_CORRECT = "Correct model.toml and drop the file again."


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


@rule("gate_scores", "The gate has a rule on a score that the task does not have.")
def gate_scores(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse gates that no model of this target could pass."""
    task = task_of(survey)
    if not survey.is_training or task is None:
        return
    scores = SCORES_OF_TASK[task]
    for name in survey.settings.gate:
        if name not in scores:
            kind = {"binary": "two classes", "multiclass": "several classes", "regression": "numbers"}[task]
            message = (
                f"model.toml has a gate rule on {shown(name, 40)}, which a target of {kind} does not have."
            )
            yield RuleFinding("reject", message, advice=f"{nearest(name, scores)} {_CORRECT}")
