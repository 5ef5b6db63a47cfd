"""The directive `command-help`: the help of every command of `mlops`, by topic, as the command prints it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from mlops.cli.commands import TOPICS
from mlops.cli.main import command_parser


class CommandHelp(SphinxDirective):
    """A section for each topic, in it one for each command, and for each of its actions."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        return [self._topic(title, commands) for title, commands in TOPICS.items()]

    def _topic(self, title: str, commands: object) -> nodes.section:
        section = _section(title)
        for name in commands:
            parser = _subparser(command_parser([name]), name)
            section += _described(f"mlops {name}", parser)
        return section


def _described(title: str, parser: argparse.ArgumentParser) -> nodes.section:
    section = _section(title)
    text = parser.format_help()
    section += nodes.literal_block(text, text, language="text")
    for name, action in _actions(parser):
        section += _described(f"{title} {name}", action)
    return section


def _section(title: str) -> nodes.section:
    return nodes.section("", nodes.title("", title), ids=[nodes.make_id(title)])


def _subparser(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    return dict(_actions(parser))[name]


def _actions(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:  # argparse has no public list of subcommands
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
