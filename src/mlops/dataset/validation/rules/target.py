"""Rules on the target and on the number of rows: only what is trained on needs them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import chain

from mlops.dataset.privacy import shown
from mlops.dataset.table.cells import MISSING_IN_NUMBERS
from mlops.dataset.table.column_profile import ColumnProfile
from mlops.dataset.table.values import LARGEST_NUMBER
from mlops.dataset.validation.accept_with import accept_column
from mlops.dataset.validation.rule import RuleFinding, lines_text, plural, rule, spelled_alike
from mlops.dataset.validation.rules.form import lacks_header
from mlops.dataset.validation.rules.index_columns import counts_from_start
from mlops.dataset.validation.survey.survey import Survey
from mlops.dataset.validation.target import class_counts, class_plan, is_classification, task_of
from mlops.models.settings.nearest import closest, nearest
from mlops.models.target.task import MIN_TRAINING_ROWS, find_label

_TOO_MUCH_MISSING, _FEW_OTHERS = 0.5, 0.03
_CORRECT_LABELS = "Add rows, or correct the labels if they are other spellings of a class."


@rule("too_few_rows", "There are too few rows to train on, or none at all.")
def too_few_rows(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse tiny files."""
    needed = survey.limits.min_rows if survey.is_training else 1
    n_rows = survey.n_rows
    if survey.dialect is None:
        return
    if n_rows < needed:
        what = "no data: no row below the header" if n_rows == 0 else f"{plural(n_rows, 'row')} only"
        yield RuleFinding("reject", f"The file holds {what}; at least {plural(needed, 'row')} are needed.")
    elif survey.is_training and (usable := _labelled_rows(survey)) < min(needed, MIN_TRAINING_ROWS):
        message = f"Of {plural(n_rows, 'row')} only {usable} have a target that is learned."
        yield RuleFinding(
            "reject", f"{message} At least {MIN_TRAINING_ROWS} are needed.", column=survey.target
        )


def _labelled_rows(survey: Survey) -> int:
    """Return the rows with a target, without those of classes that are left out."""
    column, plan = survey.target_column, class_plan(survey)
    n_missing = column.n_missing if column else 0
    counts = class_counts(survey)
    return survey.n_rows - n_missing - sum(counts[label] for label in (plan.dropped if plan else ()))


@rule("missing_target", "The target column is absent.", stage="names")
def missing_target(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse training files without the target that settings or contract name."""
    target = survey.target
    if not survey.is_training or not survey.dialect or not target or target in survey.names:
        return
    if lacks_header(survey):
        return
    message = f"The target column {shown(target)} is missing."
    names = list(filter(None, survey.names))
    advice = f"{nearest(target, names)} Set target in model.toml if it has another name."
    alike = closest(target, names)
    lines = alike and _accept_target(alike)
    yield RuleFinding("reject", message, column=target, advice=advice, accept_with=lines)


@rule("target_assumed", "No target was named; one was assumed.", stage="names")
def target_assumed(survey: Survey) -> Iterable[RuleFinding]:
    """Say which column is taken for the target."""
    is_assumed = survey.is_training and survey.roles.is_target_assumed and survey.target in survey.names
    if is_assumed and not lacks_header(survey):
        message = f"No target is named in model.toml; column {shown(survey.target or '')} was taken."
        yield RuleFinding("info", message, column=survey.target)


@rule("target_null", "Rows have no target.")
def target_null(survey: Survey) -> Iterable[RuleFinding]:
    """Leave rows without a target out and say how many."""
    column = survey.target_column
    if not survey.is_training or column is None or not column.n_missing:
        return
    share = column.n_missing / column.n_rows
    message = (
        f"{plural(column.n_missing, 'row')} ({share:.0%}) without a target in column {shown(column.name)}"
        f" on {lines_text(column.missing)}; they are left out (missing labels)."
    )
    yield RuleFinding(
        "reject" if share > _TOO_MUCH_MISSING else "warn", message, column=column.name, where=column.missing
    )


@rule("target_labels", "Labels of the target differ only by space or case.")
def target_labels(survey: Survey) -> Iterable[RuleFinding]:
    """Trim space and say so; refuse labels that differ by case, which would be two classes."""
    column = survey.target_column
    if not survey.is_training or column is None or not is_classification(survey):
        return
    if column.spaced:
        message = (
            f"Space around {plural(column.spaced.count, 'label')} of the target on"
            f" {lines_text(column.spaced)} was trimmed, so that each class is written in one way."
        )
        yield RuleFinding("warn", message, column=column.name, where=column.spaced)
    if alike := spelled_alike(class_counts(survey)):
        names = "; ".join(", ".join(shown(label, 20) for label in sorted(labels)[:3]) for labels in alike[:3])
        message = f"Target labels differ only by case or by invisible characters: {names}."
        yield RuleFinding("reject", message, column=column.name, advice="Write every class in one way.")


@rule("missing_labels", "A class of the target is named like a missing value.")
def missing_labels(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of classes such as `?` or `unknown`, which a model would learn to predict."""
    column = survey.target_column
    if not survey.is_training or column is None or column.unseen or not is_classification(survey):
        return
    for label, count in class_counts(survey).items():
        if label.lower() in MISSING_IN_NUMBERS:
            message = (
                f"The target {shown(column.name)} has a class {shown(label, 20)} ({plural(count, 'row')})"
                " that looks like a missing label; it is learned as a class."
            )
            yield RuleFinding(
                "warn", message, column=column.name, advice="Leave cells without a label empty."
            )


@rule("positive_label", "No row has the positive label of the settings.")
def positive_label(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse to look for a class that is not there."""
    column, stated = survey.target_column, survey.settings.positive_label
    if not survey.is_training or column is None or stated is None or not is_classification(survey):
        return
    plan = class_plan(survey)
    labels = plan.learned if plan else tuple(class_counts(survey))
    if len(labels) > 1 and find_label(stated, labels) is None:
        named = ", ".join(shown(label, 20) for label in sorted(labels)[:5])
        message = f"No row has the positive label {shown(stated, 20)}; the target has {named}."
        yield RuleFinding(
            "reject", message, column=column.name, advice="Correct positive_label in model.toml."
        )


@rule("unknown_label", "The target has labels that the contract does not know.")
def unknown_label(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of new classes."""
    column = survey.target_column
    if survey.is_training and column is not None and column.unseen:
        message = (
            f"Target {shown(column.name)}: {plural(column.unseen.count, 'row')} with a class that the"
            f" contract does not know on {lines_text(column.unseen)}."
        )
        accept_with = accept_column(survey, column.name, open_levels=True)
        yield RuleFinding("warn", message, column=column.name, where=column.unseen, show=True,
                   accept_with=accept_with)  # fmt: skip


@rule("single_class", "The target has one value only.")
def single_class(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse a target that does not vary."""
    column = survey.target_column
    if not survey.is_training or column is None or survey.n_rows < 2:
        return
    n_classes = len(class_counts(survey)) if is_classification(survey) else None
    lines = _other_target(survey) if survey.roles.is_target_assumed else None
    if column.kind == "empty":
        message = f"The target {shown(column.name)} is empty."
        yield RuleFinding("reject", message, column=column.name, accept_with=lines)
    elif n_classes == 1 or (n_classes is None and column.range.minimum == column.range.maximum):
        message = f"The target {shown(column.name)} has one class only: there is nothing to learn."
        yield RuleFinding("reject", message, column=column.name, accept_with=lines)


@rule("rare_class", "A class has too few rows.")
def rare_class(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse rare classes, or say that they are learned as one class or left out, as `[classes]` says."""
    plan = class_plan(survey) if survey.is_training else None
    counts = class_counts(survey)
    if plan is None or len(counts) < 2 or (survey.target_column is not None and survey.target_column.is_date):
        return
    rare = [label for label, count in counts.items() if count < survey.settings.classes.min_rows]
    if rare and set(rare) <= set(chain.from_iterable(spelled_alike(counts))):
        return  # said by `target_labels`
    if plan.problem and plan.has_rare_classes:
        yield RuleFinding("reject", plan.problem, column=survey.target, advice=_CORRECT_LABELS,
                   accept_with=plan.accept_with)  # fmt: skip
    elif plan.warning:
        yield RuleFinding("warn", plan.warning, column=survey.target, advice=_CORRECT_LABELS)


@rule("many_classes", "The target has too many classes, or so many text labels that it looks like an id.")
def many_classes(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse free text as a target, and more classes than can be learned."""
    column = survey.target_column
    if not survey.is_training or column is None or not survey.n_rows or column.kind == "empty":
        return
    plan, advice = class_plan(survey), "Set target in model.toml to the right column."
    lines = _other_target(survey) if survey.roles.is_target_assumed else None
    if survey.roles.is_target_assumed and counts_from_start(column):
        message = f"Column {shown(column.name)} was taken for the target, and only counts the rows."
        yield RuleFinding("reject", message, column=column.name, advice=advice, accept_with=lines)
    elif column.is_date:
        message = f"The target {shown(column.name)} holds dates, which cannot be predicted."
        yield RuleFinding("reject", message, column=column.name, advice=advice, accept_with=lines)
    elif column.kind == "text" or (plan is None and is_classification(survey)):
        message = f"The target {shown(column.name)} has too many different labels: it is free text or an id."
        yield RuleFinding("reject", message, column=column.name, advice=advice, accept_with=lines)
    elif plan and plan.problem and not plan.has_rare_classes and len(class_counts(survey)) > 1:
        yield RuleFinding("reject", plan.problem, column=column.name, advice=advice, accept_with=lines)


def _other_target(survey: Survey) -> str | None:
    """Return the line that takes the last column which can be a target, instead of the assumed one."""
    columns = (c for c in reversed(survey.features) if c.is_numeric or c.kind == "category")
    name = next((column.name for column in columns), None)
    return name and _accept_target(name)


def _accept_target(name: str) -> str:
    return f"target = {json.dumps(name, ensure_ascii=False)}  # above the first [table]"


@rule(
    "target_numbers", "The target of a regression is not a column of numbers, or its numbers are too large."
)
def target_numbers(survey: Survey) -> Iterable[RuleFinding]:
    """Refuse what cannot be predicted as a quantity."""
    column = survey.target_column
    if not survey.is_training or column is None or task_of(survey) != "regression":
        return
    if column.kind in ("empty", "text"):
        return  # said by `single_class` and `many_classes`
    if not column.is_numeric:
        message = f'task is "regression", but the target {shown(column.name)} is not a column of numbers.'
        advice = "Correct task in model.toml, or write the target as numbers."
        yield RuleFinding("reject", message, column=column.name, advice=advice)
    elif max(-column.range.minimum, column.range.maximum) > LARGEST_NUMBER:
        message = f"The target {shown(column.name)} has numbers beyond 1e38, which no algorithm takes."
        yield RuleFinding("reject", message, column=column.name, advice="Write it in another unit.")
    elif survey.settings.task is None and (rare := _rare_beside_two(survey, column)):
        message = (
            f"The target {shown(column.name)} is learned as a quantity, because few rows have another value"
            f" than the two frequent ones: {', '.join(rare[:3])}."
        )
        advice = "Correct these rows if there are two classes."
        lines = 'task = "regression"  # above the first [table]'
        yield RuleFinding("warn", message, column=column.name, advice=advice, accept_with=lines)


def _rare_beside_two(survey: Survey, column: ColumnProfile) -> list[str]:
    """Return the few other values of a target in which almost all rows have one of two whole numbers."""
    if column.kind != "integer" or not column.has_all_levels:
        return []
    rare = [level for level, count in column.levels.items() if count < survey.settings.classes.min_rows]
    n_rare = sum(column.levels[level] for level in rare)
    is_pair = len(column.levels) - len(rare) == 2
    return rare if is_pair and n_rare <= _FEW_OTHERS * column.levels.total() else []


@rule("sorted_by_target", "The rows are sorted by the target.")
def sorted_by_target(survey: Survey) -> Iterable[RuleFinding]:
    """Tell of sorted labels: the order, and ids that follow it, would leak the answer."""
    column = survey.target_column
    if not survey.is_training or column is None or not is_classification(survey):
        return
    n_classes = len(class_counts(survey))
    if 1 < n_classes == survey.labels.n_changes + 1 and survey.n_rows >= 4 * n_classes:
        message = (
            "The rows are sorted by the target: their order, and ids that follow it, would leak the label."
        )
        yield RuleFinding("warn", message, column=column.name)
