"""`mlops registry ...`: look at models and decide about them, in files or in the table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from mlops.errors import RegistryError
from mlops.models.registry import ModelMetadata, Status
from mlops.registry.audit import replay
from mlops.registry.model_registry import ModelRegistry

type _Run = Callable[[argparse.Namespace, ModelRegistry], tuple[Any, str]]


def add_parser(subparsers: Any) -> None:
    """Add `registry` with its actions; each prints text, or JSON with `--json`."""
    parser = subparsers.add_parser("registry", help="look at registered models and decide about them")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    _add(actions, "groups", "list the model groups", _groups)
    _add(actions, "versions", "list the versions of a group", _versions, "group")
    _add(actions, "show", "show everything about a version", _show, "group", "version")
    _add(actions, "compare", "compare two versions", _compare, "group", "a", "b")
    _add(actions, "audit", "show what ever happened to a group, and check it", _audit, "group")
    _add(actions, "approve", "approve a version", _approve, "group", "version")
    _add(actions, "reject", "reject a version for good", _reject, "group", "version")
    _add(actions, "promote", "put an approved version into service", _promote, "group", "version")
    _add(actions, "rollback", "put the previous champion back into service", _rollback, "group")


def _add(actions: Any, name: str, told: str, run: _Run, *arguments: str) -> None:
    parser = actions.add_parser(name, help=told, description=f"{told.capitalize()}.")
    for argument in arguments:
        parser.add_argument(argument)
    if run in (_approve, _reject, _promote, _rollback):
        parser.add_argument("--reason", required=True, help="why; it stands in the audit log for good")
        parser.add_argument("--by", help="who decides; default is the user's name")
    parser.add_argument("--root", default="model-registry", help="directory of a registry in files")
    parser.add_argument("--table", help="DynamoDB table of a deployed registry, in place of --root")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=lambda parsed: _print(run, parsed))


def _print(run: _Run, parsed: argparse.Namespace) -> int:
    registry = ModelRegistry(bool(parsed.table), root=parsed.root, table_name=parsed.table)
    document, text = run(parsed, registry)
    shown = json.dumps(document, indent=2, ensure_ascii=False) if parsed.json else text.rstrip("\n")
    sys.stdout.write(shown + "\n")
    return 0


def _groups(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:  # noqa: ARG001
    names = registry.groups()
    return names, "\n".join(names) or "No model has been registered yet."


def _versions(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    models = registry.list_models(parsed.group)
    if not models:
        raise RegistryError(f"The group {parsed.group!r} has no version; see `mlops registry groups`.")
    rows = [("version", "status", "created", "algorithm", "score"), *map(_row, models)]
    return [model.to_dict() for model in models], _columns(rows)


def _show(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    document = registry.get_model(parsed.group, parsed.version).to_dict()
    told = {name: value for name, value in document.items() if value not in (None, "", [], {})}
    rows = [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in told.items()
    ]
    return document, _columns(rows)


def _compare(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    comparison = registry.compare_models(parsed.group, parsed.a, parsed.b)
    return comparison.to_dict(), comparison.render()


def _audit(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    entries = registry.audit(parsed.group)
    replay(entries)
    rows = [
        (f"{e.at:%Y-%m-%d %H:%M:%S}", e.version, e.action, f"by {e.by}", e.reason or "-") for e in entries
    ]
    return [entry.to_dict() for entry in entries], _columns(rows)


def _approve(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    _refuse_waiting(parsed, registry)
    model = registry.approve_model(parsed.group, parsed.version, by=parsed.by, reason=parsed.reason)
    return model.to_dict(), f"{model.version} is approved; `mlops registry promote` puts it into service."


def _reject(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    _refuse_waiting(parsed, registry)
    model = registry.reject_model(parsed.group, parsed.version, by=parsed.by, reason=parsed.reason)
    return model.to_dict(), f"{model.version} is rejected."


def _promote(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    promotion = registry.promote_model(parsed.group, parsed.version, by=parsed.by, reason=parsed.reason)
    return promotion.model.to_dict(), _in_service(promotion.model, promotion.previous_champion)


def _rollback(parsed: argparse.Namespace, registry: ModelRegistry) -> tuple[Any, str]:
    promotion = registry.rollback(parsed.group, by=parsed.by, reason=parsed.reason)
    return promotion.model.to_dict(), _in_service(promotion.model, promotion.previous_champion)


def _refuse_waiting(parsed: argparse.Namespace, registry: ModelRegistry) -> None:
    """Leave a version to its approval request: an execution waits for that very answer."""
    if registry.get_model(parsed.group, parsed.version).status is Status.PENDING_APPROVAL:
        raise RegistryError(
            f"{parsed.version} waits for its approvers; decide through the link in their mail."
        )


def _in_service(model: ModelMetadata, previous: str | None) -> str:
    return f"{model.version} is in service" + (f" in place of {previous}." if previous else ".")


def _row(model: ModelMetadata) -> tuple[str, ...]:
    score = model.metrics.values().get(model.metrics.primary or "")
    told = "-" if score is None else f"{model.metrics.primary} {score:.4f}"
    return model.version, model.status.value, f"{model.created_at:%Y-%m-%d %H:%M}", model.algorithm, told


def _columns(rows: Iterable[Sequence[str]]) -> str:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join(lines)
