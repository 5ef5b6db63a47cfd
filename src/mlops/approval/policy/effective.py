"""What applies to a candidate: parameters of the stack, record of the group, stricter values of `model.toml`.

This is the one place that decides it. Intake refuses settings with `problems`, the gate judges `gate_floors`,
and a request for approval takes its approvers and its number of approvals from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

from mlops.approval.quorum import is_same_person
from mlops.models.approval import PolicyRecord, StackPolicy
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.retrain import RetrainingPolicy, RetrainSettings

_CHANGES = ("min_absolute_change", "min_relative_change")


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """The strictest of stack, record and settings.

    `problems` are the sentences on settings that ask for less than stack and record require; they have no
    other effect. `is_restricted` says that the record names the approvers. `max_trainings_per_day` of 0 is no
    limit.
    """

    group: str
    approvers: tuple[str, ...]
    required_approvals: int
    is_automatic: bool
    is_restricted: bool = False
    gate_floors: Mapping[str, GateRule] = field(default_factory=dict)
    max_trainings_per_day: int = 0
    problems: tuple[str, ...] = ()

    def may_approve(self, approver: str) -> bool:
        """Return whether an address is that of one of the approvers."""
        return any(is_same_person(entry, approver) for entry in self.approvers)

    def describe(self) -> Iterator[str]:
        """Yield the rules of an approval as sentences for the approvers."""
        n_needed, n_approvers = self.required_approvals, len(self.approvers)
        verb = "approval is" if n_needed == 1 else "approvals are"
        yield f"{n_needed} {verb} required; {n_approvers} {_plural(n_approvers, 'approver')} may answer."
        if self.is_restricted:
            yield f"The policy of the group names who may approve: {', '.join(self.approvers)}."
        for problem in self.problems:
            yield f"Not followed from model.toml: {problem}"


def effective_policy(stack: StackPolicy, record: PolicyRecord, settings: GroupSettings) -> EffectivePolicy:
    """Return what applies to a candidate with these settings.

    A setting can only make it stricter: a looser one is named in `problems`, and has no effect. The default
    of `required_approvals`, 1, counts as not stated.
    """
    approvers = eligible_approvers(stack, record)
    required = max(minimum_approvals(stack, record), settings.approval.required_approvals)
    may_be_automatic = stack.allows_automatic and record.automatic and required == 1
    problems = (
        *_automatic_problems(stack, record, settings, required),
        *_approval_problems(stack, record, settings),
        *find_quorum_problem(record.group, required, len(approvers)),
        *_gate_problems(record, settings),
        *_search_problems(record, settings),
    )
    return EffectivePolicy(
        record.group,
        approvers,
        required,
        is_automatic=may_be_automatic and settings.approval.automatic,
        is_restricted=bool(record.approvers),
        gate_floors=record.gate_floors,
        max_trainings_per_day=record.max_trainings_per_day,
        problems=problems,
    )


def effective_retraining(record: PolicyRecord, retrain: RetrainSettings) -> tuple[RetrainingPolicy, str]:
    """Return the less of what settings and record say, and a sentence when the settings ask for more.

    No training file is refused for it: what the group gets is safer than what it asks for.
    """
    order = get_args(RetrainingPolicy)
    if order.index(retrain.policy) <= order.index(record.retraining):
        return retrain.policy, ""
    return record.retraining, (
        f'retrain.policy = "{retrain.policy}" is more than the policy of the group allows, which is '
        f'"{record.retraining}". An administrator allows it with `mlops policy set {record.group} '
        f"--retraining {retrain.policy} --reason TEXT`."
    )


def find_quorum_problem(group: str, required: int, n_approvers: int) -> Iterator[str]:
    """Yield a sentence when more approvals are required than approvers exist."""
    if required > n_approvers:
        yield (
            f"{required} {_plural(required, 'approval')} would be required, but {group} has {n_approvers} "
            f"{_plural(n_approvers, 'approver')}. Add an approver (parameters SecondApproverEmail and "
            f"ThirdApproverEmail; `mlops policy set {group} --approvers`), or require fewer approvals."
        )


def eligible_approvers(stack: StackPolicy, record: PolicyRecord) -> tuple[str, ...]:
    """Return the approvers of the stack that the record names; all of them when it names none."""
    if not record.approvers:
        return stack.approvers
    return tuple(a for a in stack.approvers if any(is_same_person(a, entry) for entry in record.approvers))


def minimum_approvals(stack: StackPolicy, record: PolicyRecord) -> int:
    """Return how many approvals stack and record require together."""
    return max(stack.minimum_approvals, record.required_approvals)


def _automatic_problems(
    stack: StackPolicy, record: PolicyRecord, settings: GroupSettings, required: int
) -> Iterator[str]:
    if not settings.approval.automatic:
        return
    command = f"`mlops policy set {record.group} --automatic on --reason TEXT`"
    if not stack.allows_automatic:
        why = "the parameter AllowAutomaticApproval of the stack is off"
        remedy = f"An administrator allows it with this parameter and {command}"
    elif not record.automatic:
        why, remedy = (
            "the policy of the group does not allow it",
            f"An administrator allows it with {command}",
        )
    elif required > 1:
        why = f"{required} approvals are required (MinimumApprovals, the policy, or required_approvals)"
        remedy = "Automatic approval needs a group of which one approval is enough"
    else:
        return
    yield (
        f"approval.automatic = true is not possible: {why}. {remedy}; or remove the line from model.toml, "
        "and people are asked for approval."
    )


def _approval_problems(stack: StackPolicy, record: PolicyRecord, settings: GroupSettings) -> Iterator[str]:
    stated, minimum = settings.approval.required_approvals, minimum_approvals(stack, record)
    if stated == 1 or stated >= minimum:
        return
    by_stack = stack.minimum_approvals >= record.required_approvals
    source = (
        "the parameter MinimumApprovals of the stack"
        if by_stack
        else f"the policy of the group (`mlops policy set {record.group} --required-approvals`)"
    )
    yield (
        f"approval.required_approvals = {stated} is fewer than the {minimum} of {source}. Write {minimum} or "
        "more, or remove the line from model.toml."
    )


def _gate_problems(record: PolicyRecord, settings: GroupSettings) -> Iterator[str]:
    for metric, rule in settings.gate.items():
        floor = record.gate_floors.get(metric, GateRule())
        for name, stated, minimum in _below_floor(rule, floor):
            yield (
                f"gate.{metric}.{name} = {stated:g} is below the {minimum:g} of the policy of the group "
                f"(`mlops policy set {record.group} --floor {metric}.{name}=...`). Write {minimum:g} or "
                "more, or remove the line from model.toml."
            )


def _search_problems(record: PolicyRecord, settings: GroupSettings) -> Iterator[str]:
    if settings.search is None or not record.max_trials or settings.search.trials <= record.max_trials:
        return
    yield (
        f"search.trials = {settings.search.trials} is more than the {record.max_trials} of the policy of the "
        f"group (`mlops policy set {record.group} --max-trials`). Write {record.max_trials} or fewer."
    )


def _below_floor(rule: GateRule, floor: GateRule) -> Iterator[tuple[str, float, float]]:
    """Yield the fields of a rule that are below the floor, with both values.

    A floor on one kind of change that does not permit a worse model does not permit it by the other kind.
    """
    changes = [value for name in _CHANGES if (value := getattr(floor, name)) is not None]
    no_worse = 0.0 if changes and min(changes) >= 0.0 else None
    for name in ("threshold", *_CHANGES):
        stated, minimum = getattr(rule, name), getattr(floor, name)
        if minimum is None and name in _CHANGES:
            minimum = no_worse
        if stated is not None and minimum is not None and stated < minimum:
            yield name, stated, minimum


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}s"
