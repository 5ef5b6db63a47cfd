"""What a model learns of the classes of a target: validation, training and comparisons ask here."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from mlops.models.settings.classes import OTHER_CLASS, RareClasses
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.nearest import closest, nearest
from mlops.models.target.task import find_label

MAX_CLASSES = 100
_MAX_NAMED = 3
_MIN_LIKENESS = 0.75
_SAME_WORDS = (frozenset(("yes", "y", "true", "t", "1")), frozenset(("no", "n", "false", "f", "0")))


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """Which classes are learned, and what is done with the rows of rare ones.

    `pooled` labels are learned as the one class `other`, rows of `dropped` labels are left out. `problem`
    says why nothing can be learned, and `accept_with` which lines of `model.toml` would change that;
    `has_rare_classes` says whether rare classes are the reason.
    """

    learned: tuple[str, ...] = ()
    pooled: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    other: str = OTHER_CLASS
    problem: str | None = None
    accept_with: str | None = None
    warning: str | None = None
    has_rare_classes: bool = False


def plan_classes(
    counts: Mapping[str, int], settings: GroupSettings, target: str, *, quoted: Callable[[str], str] = repr
) -> ClassPlan:
    """Decide which classes are learned.

    A class with fewer than `classes.min_rows` rows is rare. Where at most two classes are not, the target is
    one of two classes and is refused, unless `classes.rare` says what to do. Otherwise rare classes are
    pooled when the pool has enough rows, and left out when it does not.

    Parameters
    ----------
    counts
        How many rows each label has, missing ones left out.
    target
        The name of the column, for messages.
    quoted
        How messages write a label or a name.
    """
    min_rows, name = settings.classes.min_rows, quoted(target)
    frequent = tuple(sorted(label for label, count in counts.items() if count >= min_rows))
    rare = tuple(sorted(set(counts) - set(frequent)))
    if len(counts) < 2:
        return ClassPlan(frequent, problem=f"The target {name} has one class only: nothing can be learned.")
    plan = _without_rare(counts, settings, frequent, rare)
    n_classes = len(plan.learned if plan else frequent or counts)
    if problem := _limit_problem(n_classes, settings, name):
        return ClassPlan(frequent, problem=problem)
    if plan and not rare:
        return plan
    spellings = _spellings(counts, rare, frequent, quoted)
    if plan is None or len(plan.learned) < 2:
        have = "has" if len(rare) == 1 else "have"
        few = f"{len(rare)} of the {len(counts)} classes of {name} {have} fewer than {min_rows} rows"
        remedy = _remedy(counts, settings, frequent, rare)
        return ClassPlan(frequent, problem=f"{few}: {spellings}.", accept_with=remedy, has_rare_classes=True)
    fate = f"learned as one class {quoted(plan.other)}" if plan.pooled else "left out"
    few = f"{len(rare)} class{'es' * (len(rare) > 1)} of {name} with fewer than {min_rows} rows"
    return replace(plan, warning=f"Rows of {few} are {fate}: {spellings}.")


def cost_problem(
    plan: ClassPlan, settings: GroupSettings, *, quoted: Callable[[str], str] = repr
) -> str | None:
    """Say that costs are stated for what is not one of several classes; None when there are none."""
    unknown = next((name for name in settings.classes.classes_of_costs if name not in plan.learned), None)
    if unknown is None or len(plan.learned) <= 2:
        return None
    return f"[classes.costs] names {quoted(unknown)}, which is not a class. {nearest(unknown, plan.learned)}"


def similar_label(label: str, labels: Iterable[str]) -> str | None:
    """Return the label that `label` seems to be another spelling of, None for none.

    `YES `, `Y` and `yess` look like `yes`.
    """
    by_form = {_form(other): other for other in labels}
    form = _form(label)
    if form in by_form:
        return by_form[form]
    words = next((words for words in _SAME_WORDS if form in words), frozenset())
    alike = [other for other_form, other in by_form.items() if other_form in words]
    alike = alike or [other for other_form, other in by_form.items() if _abbreviates(form, other_form)]
    if len(alike) == 1:
        return alike[0]
    close = closest(form, by_form, min_likeness=_MIN_LIKENESS)
    return None if close is None else by_form[close]


def _without_rare(
    counts: Mapping[str, int], settings: GroupSettings, frequent: tuple[str, ...], rare: tuple[str, ...]
) -> ClassPlan | None:
    """Return the plan of the group's policy for rare classes; None when it refuses them."""
    if not rare:
        return ClassPlan(frequent)
    policy: RareClasses | None = settings.classes.rare
    is_binary = settings.task == "binary" or (settings.task is None and len(frequent) <= 2)
    if policy == "refuse" or (policy is None and is_binary):
        return None
    other = find_label(OTHER_CLASS, frequent)
    n_pooled = sum(counts[label] for label in rare)
    can_pool = other is not None or n_pooled >= settings.classes.min_rows
    if policy != "drop" and can_pool:
        pool = other or OTHER_CLASS
        return ClassPlan(tuple(sorted({*frequent, pool})), pooled=rare, other=pool)
    return ClassPlan(frequent, dropped=rare)


def _spellings(
    counts: Mapping[str, int], rare: tuple[str, ...], frequent: tuple[str, ...], quoted: Callable[[str], str]
) -> str:
    """Name the first few rare classes with their rows, and the class that each one looks like."""
    named = []
    for label in rare[:_MAX_NAMED]:
        alike = similar_label(label, frequent)
        looks_like = f", looks like {quoted(alike)}" if alike else ""
        named.append(f"{quoted(label)} ({counts[label]}{looks_like})")
    more = len(rare) - _MAX_NAMED
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _remedy(
    counts: Mapping[str, int], settings: GroupSettings, frequent: tuple[str, ...], rare: tuple[str, ...]
) -> str | None:
    """Return the lines of `model.toml` with which something can be learned."""
    if len(frequent) >= 2:
        return '[classes]\nrare = "drop"'
    n_pooled = sum(counts[label] for label in rare)
    return '[classes]\nrare = "other"' if frequent and n_pooled >= settings.classes.min_rows else None


def _limit_problem(n_classes: int, settings: GroupSettings, name: str) -> str | None:
    """Say that there are more classes than can be learned; None when there are not."""
    if settings.task == "binary" and n_classes > 2:
        return f"The target {name} has {n_classes} classes, but task is set to binary."
    if n_classes > MAX_CLASSES:
        return (
            f"The target {name} has {n_classes} distinct values, and at most {MAX_CLASSES} classes can be "
            'learned; a quantity must be written as numbers, with task = "regression" where in doubt.'
        )
    return None


def _form(label: str) -> str:
    composed = unicodedata.normalize("NFKC", label).casefold()
    return "".join(character for character in composed if character.isalnum())


def _abbreviates(short: str, long: str) -> bool:
    return bool(short and long) and (long.startswith(short) or short.startswith(long))
