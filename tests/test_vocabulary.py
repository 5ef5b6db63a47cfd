"""The vocabulary of code, messages and documents: unusual words are counted.

Readers whose first language is not English know the terms of the field, and few literary words.
The terms of the domain are in docs/explanation/glossary.md. Print what is counted in a folder with its lines:

    .venv/bin/python -m tests.test_vocabulary src/mlops/registry
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SUFFIXES = frozenset(
    (".css", ".ini", ".j2", ".json", ".md", ".py", ".toml", ".txt", ".yaml", ".yml", ".html")
)
NOT_SEARCHED = frozenset(("__pycache__", "results", "data"))
EXEMPT = frozenset((Path(__file__).name,))  # this file lists the words

# What to write instead of a word. The words are regular expressions, without case.
INSTEAD = {
    r"told|tells|spoken": "message, says, contains, reports",
    r"asked|wanted(?! by)": "requested, expected, needed",
    r"whoever|whom|nobody|somebody|everybody": "who, no one, a user, all users",
    r"lies|lay|stands?|stood|befalls?|becomes of|came of": "is, is stored, happens to, the result of",
    r"(?<!there )(?:is|are) no": "is not a, has no",
    r"gone|by itself|anew|in place of": "deleted, missing, alone, again, instead of",
    r"looked after|looks after|look after": "checked, managed, monitored",
    r"odd|oddit\w+|sightings?": "irregular, occurrences",
    r"nouns?": "a term of the domain",
    r"own words|from_own_words": "from_dict(strict=True)",
    r"postbox|desk|exhibits?|workplace": "mailer, service, attachments, context",
    r"succession|succeed|_succeed": "promotion, promote",
    r"(?:a|the|each|every|one|this|that) mail|mails": "email",
    r"least_(?!squares)\w+": "min_...",
}
# Names of constants, with case.
CONSTANTS = {r"(?:LEAST|MOST)_[A-Z]\w*": "MIN_..., MAX_..."}
# Variables and parameters: what to write instead is what it is, such as `rows`.
VARIABLES = frozenset(("told", "asked", "wanted", "found", "known", "given"))
# Standard terms that contain one of the words.
ALLOWED = re.compile(r'stand-ins?\b|stand-alone|verb-nouns?\b|"Succeed"|type Succeed|no longer')
WORDS = re.compile(rf"(?i:\b(?:{'|'.join(INSTEAD)})\b)|\b(?:{'|'.join(CONSTANTS)})")
HAS_VARIABLE = re.compile(rf"\b(?:{'|'.join(sorted(VARIABLES))})\b")

GOAL_PER_10_000_LINES = 15.0
SEARCHED = (
    *("src", "functions", "training", "statemachine", "template.yaml", "layers", "local", "deployment"),
    *("tests", "benchmarks", "events", "examples", "docs", ".github", ".ci"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
    *("Makefile", "pyproject.toml", "samconfig.toml"),
)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a word of the list."""

    path: Path
    line: int
    word: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(REPOSITORY)}:{self.line}: {self.word}"


def files(root: Path) -> Iterator[Path]:
    """Every text file at or below `root`."""
    for path in [root] if root.is_file() else sorted(root.rglob("*")):
        is_text = path.suffix in SUFFIXES or path.name == "Makefile"
        parts = set(path.relative_to(REPOSITORY).parts)
        if path.is_file() and is_text and path.name not in EXEMPT and not NOT_SEARCHED & parts:
            yield path


def uses(text: str) -> Iterator[tuple[int, str]]:
    """Line and word of every use in a text."""
    searched = ALLOWED.sub(lambda match: " " * len(match[0]), text)
    for match in WORDS.finditer(searched):
        yield searched.count("\n", 0, match.start()) + 1, match[0].strip()


def bound_names(code: str) -> Iterator[tuple[int, str]]:
    """Line and name of every variable and parameter of Python code whose name is in `VARIABLES`."""
    if not HAS_VARIABLE.search(code):
        return
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) if name in VARIABLES:
                yield node.lineno, name


def count(root: Path) -> tuple[int, list[Use]]:
    """Return the number of lines at or below `root`, and the uses."""
    n_lines, counted = 0, []
    for path in files(root):
        text = path.read_text(encoding="utf-8", errors="replace")
        n_lines += text.count("\n")
        names = bound_names(text) if path.suffix == ".py" else ()
        counted += [Use(path, line, word) for line, word in (*uses(text), *names)]
    return n_lines, counted


@pytest.mark.parametrize("name", SEARCHED)
def test_unusual_words_are_rare(name: str) -> None:
    n_lines, counted = count(REPOSITORY / name)
    limit = max(1, GOAL_PER_10_000_LINES * n_lines / 10_000)
    listed = "\n".join(map(str, counted[:40]))
    assert len(counted) <= limit, (
        f"{len(counted)} unusual words in {n_lines} lines of {name}, limit {limit:.0f}:\n{listed}"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nobody was told, and the file is gone.", ["Nobody", "told", "gone"]),
        ("for rows in parts:\n    LEAST_ROWS = 3", ["LEAST_ROWS"]),
        ("It stands here. This is no id.", ["stands", "is no"]),
        ("a mail to the approver; mails are sent", ["a mail", "mails"]),
        ("A stand-in for the service. There is no stack. The column was found. # standard", []),
        ('{"Type": "Succeed"}, a state of type Succeed', []),
        ("from scipy.optimize import least_squares", []),
        ("The desktop, mostly; toddler; goneness", []),
    ],
)
def test_the_words_of_the_list_are_seen_and_terms_are_not(text: str, expected: list[str]) -> None:
    assert [word for _, word in uses(text)] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("found = search(rows)", ["found"]),
        ("trained, found = search(rows)", ["found"]),
        ("if known := search(rows): pass", ["known"]),
        ("for name, (known, _) in rows: pass", ["known"]),
        ("def search(known: Iterable[str], *asked): pass", ["known", "asked"]),
        ("sorted(rows, key=lambda given: given.size)", ["given"]),
        ("[wanted for wanted in rows]", ["wanted"]),
        ("search(known=rows); rows.found = 1; message = 'found'", []),
    ],
)
def test_names_of_variables_and_parameters_are_seen(code: str, expected: list[str]) -> None:
    assert [name for _, name in bound_names(code)] == expected


def test_every_folder_and_document_of_the_project_is_searched() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    texts = [name for name in tracked if Path(name).suffix in SUFFIXES]
    folders = {name.split("/")[0] for name in texts if "/" in name}
    documents = {name for name in texts if name.endswith(".md") and "/" not in name}
    assert folders | documents <= set(SEARCHED)


def _report(roots: list[str]) -> None:
    n_all, n_uses = 0, 0
    for name in roots:
        n_lines, counted = count(REPOSITORY / name)
        n_all, n_uses = n_all + n_lines, n_uses + len(counted)
        if len(roots) == 1:
            print("\n".join(map(str, counted)))
        share = 10_000 * len(counted) / max(n_lines, 1)
        print(f"{name}: {len(counted)} in {n_lines} lines, {share:.1f} per 10,000")
    print(f"together: {10_000 * n_uses / max(n_all, 1):.1f} per 10,000 lines")


if __name__ == "__main__":
    _report(sys.argv[1:] or list(SEARCHED))
