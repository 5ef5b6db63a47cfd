"""Commands in sentences: of the documents, and of the messages and emails of the library."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.cli.main import command_parser
from tests.test_documents import DOCUMENTS, REPOSITORY

SOURCES = sorted((REPOSITORY / "src" / "mlops").rglob("*.py"))
# A sentence may leave out what a command needs, or name a choice by a word in capitals.
_INCOMPLETE = re.compile(
    r"(is|are) required|expected (one|at least one) argument|argument [^:]+: '[A-Z.=]+' is"
)
_VALUES = {"N": "1", "DAY": "2026-01-31", "DIR": ".", "COMMAND": "train"}
_ALTERNATIVES = re.compile(r"\b\w+(?:\|\w+)+\b")


def _mentions(text: str) -> Iterator[str]:
    """The commands between backticks, outside of code blocks: each alternative of `show|set`, no `...`."""
    prose = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for mention in re.findall(r"`(mlops -?[a-z][^`]*)`", prose):
        command = " ".join(mention.replace("[", " ").replace("]", " ").replace("...", " ").split())
        parts = [choices.split("|") for choices in _ALTERNATIVES.findall(command)]
        for chosen in itertools.product(*parts):
            values = iter(chosen)
            yield _ALTERNATIVES.sub(lambda _, values=values: next(values), command)


def _texts(source: Path) -> Iterator[str]:
    """The strings of a module; what is filled in is the word VALUE."""
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(v.value if isinstance(v, ast.Constant) else "VALUE" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _problem(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Why the command line refuses a command; empty when it takes it, or would with more arguments."""
    words = [_VALUES.get(word, word) for word in shlex.split(command)[1:]]
    try:
        command_parser(words).parse_args(words)
    except SystemExit as ended:
        message = capsys.readouterr().err
        return "" if ended.code == 0 or _INCOMPLETE.search(message) else f"{command}: {message}"
    return ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_commands_in_sentences_of_documents_exist(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = document.read_text("utf-8")
    problems = [_problem(command, capsys) for command in dict.fromkeys(_mentions(text))]
    assert not list(filter(None, problems))


def test_commands_in_texts_of_the_library_exist(capsys: pytest.CaptureFixture[str]) -> None:
    texts = "\n".join(text for source in SOURCES for text in _texts(source))
    commands = dict.fromkeys(_mentions(texts))
    assert len(commands) > 30
    assert not list(filter(None, (_problem(command, capsys) for command in commands)))


def test_a_wrong_option_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(_mentions("See `mlops policy show|set GROUP` and `mlops runs list ...`.")) == [
        "mlops policy show GROUP",
        "mlops policy set GROUP",
        "mlops runs list",
    ]
    assert not _problem("mlops policy set GROUP", capsys)
    assert "unrecognized arguments: --uppon" in _problem("mlops policy show GROUP --uppon", capsys)
    assert "'shwo' is unknown" in _problem("mlops policy shwo GROUP", capsys)
