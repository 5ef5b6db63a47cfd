"""`mlops completion SHELL`: the script with which a shell completes commands, actions and options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from mlops.cli.commands import COMMANDS

_SCRIPT = """\
_mlops() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} words
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[2]}}" in
{cases}
    esac
    (( COMP_CWORD == 1 )) && words="{commands} --help --version"
    [[ $current == -* ]] || words="${{words%%--*}}"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _mlops mlops
"""
_PREFIX = {"bash": "", "zsh": "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n"}


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "completion",
        description=f"{COMMANDS['completion'].description} Add to the start file of the shell, for example "
        'to ~/.bashrc: eval "$(mlops completion bash)"',
    )
    parser.add_argument("shell", choices=tuple(_PREFIX))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the script; options are proposed after a `-`, and names of files where no word fits."""
    cases = "\n".join(
        f"        {pattern}) words='{' '.join(words)}' ;;" for pattern, words in _words_by_pattern()
    )
    script = _SCRIPT.format(cases=cases, commands=" ".join(COMMANDS))
    sys.stdout.write(f"{_PREFIX[arguments.shell]}{script}")
    return 0


def _words_by_pattern() -> Iterator[tuple[str, list[str]]]:
    """Give, for the first two words of a command line as a pattern, the words that can follow them."""
    subparsers = argparse.ArgumentParser().add_subparsers()
    for command in dict.fromkeys(command.module for command in COMMANDS.values()):
        import_module(f"mlops.cli.{command}").add_parser(subparsers)
    for name, parser in subparsers.choices.items():
        actions = _actions(parser)
        for action, nested in actions.items():
            yield f"'{name} {action}'", _options(nested)
        yield f"'{name} '*", [*actions, *_options(parser)]


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    return {
        name: nested
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name, nested in action.choices.items()
    }


def _options(parser: argparse.ArgumentParser) -> list[str]:
    strings = (string for action in parser._actions for string in action.option_strings)
    return [string for string in strings if string.startswith("--")]
