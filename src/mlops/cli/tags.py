"""`mlops tag` and `mlops note`: write on a version what people should know of it."""

from __future__ import annotations

import argparse
from typing import Any

from mlops.cli.command import add_command
from mlops.context.context import Context
from mlops.models.errors import RegistryError


def add_parser(subparsers: Any) -> None:
    """Add the two commands."""
    tag = add_command(subparsers, "tag", "set or remove tags of a version", _tag, "group", "version")
    tag.add_argument("tags", nargs="+", metavar="NAME=VALUE", help="NAME= without a value takes the tag away")
    note = add_command(subparsers, "note", "add a note to a version", _note, "group", "version")
    note.add_argument("text", help="a sentence; it stands below the notes that are there")


def _tag(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    tags = dict(map(_parse, parsed.tags))
    model = context.registry().annotate_model(parsed.group, parsed.version, tags=tags, by=context.actor())
    message = ", ".join(f"{name}={value}" for name, value in model.tags.items())
    return (
        model.to_dict(),
        f"{model.version} is tagged {message}." if message else f"{model.version} has no tags.",
    )


def _note(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if not parsed.text.strip():
        raise RegistryError("A note says something: give it as one argument, in quotes.")
    model = context.registry().annotate_model(
        parsed.group, parsed.version, note=parsed.text, by=context.actor()
    )
    return model.to_dict(), model.notes


def _parse(text: str) -> tuple[str, str | None]:
    name, separator, value = text.partition("=")
    if not separator:
        raise RegistryError(f"{text!r} is no tag; write NAME=VALUE.")
    return name, value or None
