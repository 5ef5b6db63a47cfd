"""`mlops groups`, `versions`, `show`, `compare`, `tag`, `note`: the registered versions."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from mlops.cli.command import add_command, columns
from mlops.cli.descriptions import describe, failure_line, score_cell
from mlops.context.context import Context
from mlops.models.errors import RegistryError
from mlops.models.registry import VersionSummary
from mlops.registry.tags import has_visible_characters

_NAMES = "a version such as v1.2.0, or `champion`, or `latest`"


def add_parser(subparsers: Any) -> None:
    """Add the six commands."""
    add_command(subparsers, "groups", _groups)
    add_command(subparsers, "versions", _versions, "group")
    show = add_command(subparsers, "show", _show, "group")
    show.add_argument("version", nargs="?", default="latest", help=f"{_NAMES} (default)")
    compare = add_command(subparsers, "compare", _compare, "group")
    compare.add_argument("a", nargs="?", default="champion", help=f"{_NAMES} (default: champion)")
    compare.add_argument("b", nargs="?", default="latest", help=f"{_NAMES} (default)")
    compare.add_argument("--html", type=Path, metavar="OUT", help="also write the comparison as a page")
    tag = add_command(subparsers, "tag", _tag, "group", "version")
    tag.add_argument("tags", nargs="+", metavar="NAME=VALUE", help="NAME= without a value removes the tag")
    note = add_command(subparsers, "note", _note, "group", "version")
    note.add_argument("text", help="a sentence; it is appended to the notes of the version")


def _groups(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:  # noqa: ARG001
    groups = sorted({*context.registry.groups(), *context.runs.groups()})
    rows = [_group_row(context, group) for group in groups]
    header = ("group", "versions", "champion", "last training failed" if any(row[-1] for row in rows) else "")
    return groups, columns([header, *rows]) if groups else "No model has been registered yet."


def _group_row(context: Context, group: str) -> tuple[str, ...]:
    champion, runs = context.registry.champion(group), context.runs.list_runs(group, limit=1)
    failure = runs[0].failure if runs else None
    failed = f"{runs[0].started_at:%Y-%m-%d %H:%M} {failure_line(failure)}" if failure else ""
    return (
        group,
        str(context.registry.count_models(group)),
        champion.version if champion else "none yet",
        failed,
    )


def _versions(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    registry, group = context.registry, parsed.group
    models = registry.list_models(group) if parsed.json else []
    summaries = [] if parsed.json else registry.list_summaries(group)
    if not models and not summaries:
        raise registry.missing_group(group)
    if parsed.json:
        return [model.to_dict() for model in models], ""
    rows = map(_version_row, summaries)
    return None, columns([("version", "status", "created", "algorithm", "score"), *rows])


def _version_row(summary: VersionSummary) -> tuple[str, ...]:
    created, score = f"{summary.created_at:%Y-%m-%d %H:%M}", score_cell(summary.primary_score)
    return summary.version, summary.status.value, created, summary.algorithm, score


def _show(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    registry = context.registry
    model = registry.find_model(parsed.group, parsed.version)
    history = [
        entry
        for entry in registry.audit(parsed.group)
        if any(change.version == model.version for change in entry.changes) or entry.version == model.version
    ]
    document = model.to_dict() | {"history": [entry.to_dict() for entry in history]}
    return document, "\n".join(describe(model, history))


def _compare(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    registry = context.registry
    names = [registry.find_model(parsed.group, name).version for name in (parsed.a, parsed.b)]
    comparison = registry.compare_models(parsed.group, *names)
    if parsed.html:
        parsed.html.write_text(comparison.render_html(), encoding="utf-8")
    return comparison.to_dict(), comparison.render()


def _tag(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    tags = dict(map(_parse, parsed.tags))
    model = context.registry.annotate_model(parsed.group, parsed.version, tags=tags, by=context.actor)
    message = ", ".join(f"{name}={value}" for name, value in model.tags.items())
    return (
        model.to_dict(),
        f"{model.version} is tagged {message}." if message else f"{model.version} has no tags.",
    )


def _note(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if not has_visible_characters(parsed.text):
        raise RegistryError("The note is empty: write it as one argument, in quotes.")
    model = context.registry.annotate_model(parsed.group, parsed.version, note=parsed.text, by=context.actor)
    return model.to_dict(), model.notes


def _parse(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not separator:
        raise RegistryError(f"{text!r} is not a tag; write NAME=VALUE.")
    return name, value or None
