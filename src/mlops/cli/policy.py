"""`mlops policy show GROUP` and `mlops policy set GROUP`: the approval policy of a group.

The record is in a table that no function may write. On plain files it is stored, and no step reads it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, get_args

from mlops.approval.policy.changes import set_policy
from mlops.cli.command import add_action, add_actions, add_reason, columns
from mlops.context.context import Context
from mlops.infrastructure.clock import utc_now
from mlops.models.approval import PolicyRecord, StackPolicy
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import ApprovalSettings, GroupSettings
from mlops.models.settings.retrain import RetrainingPolicy

_FLOOR_FIELDS = ("threshold", "min_absolute_change", "min_relative_change")
_EVERYONE = "all"

type _Floor = tuple[str, str, float | None]


def add_parser(subparsers: Any) -> None:
    """Add `policy` with its actions."""
    actions = add_actions(subparsers, "policy")
    add_action(actions, "show", "show the approval policy of a group, and its history", _show, "group")
    change = add_action(actions, "set", "change the approval policy of a group", _set, "group")
    change.add_argument(
        "--approvers", metavar="EMAIL,...", type=_addresses, help=f"who may approve, or `{_EVERYONE}`"
    )
    change.add_argument("--required-approvals", type=int, metavar="N", help="how many people must approve")
    change.add_argument(
        "--automatic", choices=("on", "off"), help="allow `automatic = true` in model.toml (default: off)"
    )
    change.add_argument(
        "--floor",
        metavar="SCORE.FIELD=VALUE",
        type=_floor,
        action="append",
        default=[],
        help=f"lower limit of a gate rule ({', '.join(_FLOOR_FIELDS)}); without a value it is removed",
    )
    change.add_argument(
        "--retraining",
        choices=get_args(RetrainingPolicy),
        help="the most that `[retrain] policy` in model.toml may do (default: propose)",
    )
    change.add_argument(
        "--max-trainings-per-day",
        type=int,
        metavar="N",
        help="how many trainings of the group start in a day (UTC); more files wait (default: 0, no limit)",
    )
    change.add_argument(
        "--max-trials", type=int, metavar="N", help="trials of a search at most (default: 0, no limit)"
    )
    add_reason(change)


def _show(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    record = context.policies.store.get(parsed.group)
    history = context.policies.store.history(parsed.group)
    document = {
        "stack": _stack_document(context.policies.stack),
        "record": record.to_dict(),
        "history": [revision.to_dict() for revision in history],
    }
    lines = [*_lines(record, context), "", *_history_lines(history)]
    return document, "\n".join(lines)


def _set(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    current = context.policies.store.get(parsed.group)
    record = set_policy(
        context.policies, _changed(current, parsed), by=context.actor, reason=parsed.reason, now=utc_now()
    )
    lines = [*_lines(record, context), "", "Requests that are open keep the rules that they were made with."]
    return record.to_dict(), "\n".join(lines)


def _changed(record: PolicyRecord, parsed: argparse.Namespace) -> PolicyRecord:
    """Return the record with the options that were given."""
    changes = {
        "approvers": parsed.approvers,
        "required_approvals": parsed.required_approvals,
        "automatic": None if parsed.automatic is None else parsed.automatic == "on",
        "retraining": parsed.retraining,
        "max_trainings_per_day": parsed.max_trainings_per_day,
        "max_trials": parsed.max_trials,
        "gate_floors": _with_floors(record.gate_floors, parsed.floor),
    }
    return replace(record, **{name: value for name, value in changes.items() if value is not None})


def _with_floors(floors: Mapping[str, GateRule], changes: list[_Floor]) -> dict[str, GateRule]:
    merged = dict(floors)
    for metric, name, value in changes:
        floor = merged.get(metric, GateRule()).to_dict()
        merged[metric] = GateRule.from_dict({**floor, name: value})
    return {metric: floor for metric, floor in merged.items() if floor != GateRule()}


def _lines(record: PolicyRecord, context: Context) -> Iterator[str]:
    policies, stack = context.policies, context.policies.stack
    policy = policies.of(record.group, GroupSettings())
    if_requested = policies.of(record.group, GroupSettings(approval=ApprovalSettings(automatic=True)))
    yield f"Policy of {record.group}, revision {record.revision}"
    yield columns(
        [
            ("  approvers", ", ".join(policy.approvers) or "none"),
            ("  required approvals", str(policy.required_approvals)),
            ("  automatic", "where model.toml requests it" if if_requested.is_automatic else "never"),
            *(("  floor", text) for text in _floor_texts(record.gate_floors)),
            ("  retraining", record.retraining),
            ("  trainings per day", str(record.max_trainings_per_day or "no limit")),
            ("  trials of a search", str(record.max_trials or "no limit")),
        ]
    )
    yield (
        f"The stack sets MinimumApprovals {stack.minimum_approvals} and AllowAutomaticApproval "
        f"{'on' if stack.allows_automatic else 'off'}; model.toml can only make the policy stricter."
    )
    yield from policy.problems


def _floor_texts(floors: Mapping[str, GateRule]) -> Iterator[str]:
    for metric, floor in floors.items():
        for name in _FLOOR_FIELDS:
            if (value := getattr(floor, name)) is not None:
                yield f"{metric}.{name} = {value:g}"


def _history_lines(history: list[PolicyRecord]) -> Iterator[str]:
    if not history:
        yield "It was never changed: these are the defaults."
        return
    yield "Changes"
    yield columns(
        [
            (f"  {r.revision}", f"{r.changed_at:%Y-%m-%d %H:%M:%S}", f"by {r.changed_by}", r.reason)
            for r in history
        ]
    )


def _stack_document(stack: StackPolicy) -> dict[str, Any]:
    return {
        "approvers": list(stack.approvers),
        "allow_automatic_approval": stack.allows_automatic,
        "minimum_approvals": stack.minimum_approvals,
    }


def _addresses(text: str) -> tuple[str, ...]:
    if text == _EVERYONE:
        return ()
    addresses = tuple(filter(None, (part.strip() for part in text.split(","))))
    if not addresses:
        raise argparse.ArgumentTypeError(f"name addresses, separated by commas, or `{_EVERYONE}`")
    return addresses


def _floor(text: str) -> _Floor:
    key, separator, value = text.partition("=")
    metric, dot, name = key.strip().partition(".")
    if not separator or not dot or name not in _FLOOR_FIELDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not SCORE.FIELD=VALUE, such as roc_auc.threshold=0.7 "
            f"(fields: {', '.join(_FLOOR_FIELDS)})"
        )
    try:
        return metric, name, float(value) if value.strip() else None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number") from error
