"""The documents say what is there: links, paths, names, decisions, and every command."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import mlops
from mlops.cli.main import command_parser
from mlops.dataset.validation.rule import RULES
from mlops.dataset.validation.rules import header
from mlops.dataset.validation.validate import validate
from mlops.models.settings.group import GroupSettings

REPOSITORY = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "examples").rglob("*.md")]
)
DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("[0-9]*.md"))
EXAMPLE = REPOSITORY / "examples" / "drug-spend"

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
each_decision = pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)


def blocks(document: Path, language: str) -> list[str]:
    """The code blocks of one language; the indentation of a block in a list is removed."""
    pattern = rf"^( *)```{language}[^\n]*\n(.*?)^ *```$"
    actual = re.findall(pattern, document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in actual]


# ── Links, paths and names ────────────────────────────────────────────────────────────────────────────────


@each_document
def test_every_link_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text("utf-8"))
    local = [target for target in targets if "://" not in target and not target.startswith(("#", "mailto:"))]
    missing = [target for target in local if not (document.parent / target.split("#")[0]).exists()]
    assert not missing


@each_document
def test_every_link_within_a_document_leads_to_a_heading(document: Path) -> None:
    text = document.read_text("utf-8")
    headings = {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in headings_of(text)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings


def headings_of(text: str) -> list[str]:
    return re.findall(
        r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )


_FOLDERS = (
    "src",
    "functions",
    "statemachine",
    "layers",
    "training",
    "local",
    "tests",
    "benchmarks",
    "docs",
    "examples",
)
_PATH = re.compile(rf"`((?:{'|'.join(_FOLDERS)})/[\w./*-]*)`")
# Files of the walk-throughs in CONTRIBUTING.md, which the reader makes.
_MADE_BY_THE_READER = frozenset(("functions/count_versions/app.py", "tests/functions/test_count_versions.py"))


@each_document
def test_every_path_exists(document: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    paths = set(_PATH.findall(text)) - _MADE_BY_THE_READER
    assert not {path for path in paths if not any(REPOSITORY.glob(path.rstrip("/")))}


def test_every_name_of_the_glossary_exists() -> None:
    sources = [*(REPOSITORY / "src").rglob("*.py"), REPOSITORY / "template.yaml"]
    words = set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in sources)))
    lines = (REPOSITORY / "docs" / "explanation" / "glossary.md").read_text("utf-8").splitlines()
    names = {
        name
        for line in lines
        if line.startswith("| ")
        for name in re.findall(r"`([^`]+)`", line.split("|")[3])
    }
    modules = {name for name in names if name.startswith("mlops.")}
    for name in modules:
        importlib.import_module(name)
    in_code = {name for name in names - modules if not name.endswith("/")}
    assert len(in_code) > 50
    assert not {name for name in in_code if not set(name.split(".")) <= words}


def test_terms_of_the_glossary_are_defined_once() -> None:
    lines = (REPOSITORY / "docs" / "explanation" / "glossary.md").read_text("utf-8").splitlines()
    rows = [line.split("|")[1] for line in lines if line.startswith("| ") and not line.startswith("| Term")]
    terms = [term.strip() for row in rows for term in row.split(",")]
    assert sorted(terms) == sorted(set(terms))


def test_the_layers_of_the_architecture_are_those_that_are_checked() -> None:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = " | ".join(next(c["layers"] for c in settings["contracts"] if c["type"] == "layers")).split(
        " | "
    )
    page = (REPOSITORY / "docs" / "explanation" / "architecture.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == layers
    picture = (REPOSITORY / "docs" / "images" / "architecture.svg").read_text("utf-8")
    assert not {name for name in layers if not re.search(rf"\b{name}\b", picture)}
    assert re.findall(r"`(\w+)`[,.]", mlops.__doc__) == layers[::-1]


def test_the_architecture_names_every_function_and_state_machine() -> None:
    page = (REPOSITORY / "docs" / "explanation" / "architecture.md").read_text("utf-8")
    functions = {path.parent.name for path in (REPOSITORY / "functions").glob("*/app.py")}
    machines = {path.name.split(".")[0] for path in (REPOSITORY / "statemachine").glob("*.asl.json")}
    assert len(functions) > 30
    assert not {name for name in functions | machines if f"`{name}`" not in page}


@each_document
def test_every_json_block_is_json(document: Path) -> None:
    for block in blocks(document, "json"):
        json.loads(block)


@each_document
def test_every_toml_block_is_toml(document: Path) -> None:
    for block in blocks(document, "toml"):
        tomllib.loads(block)


# ── Decisions and versions ────────────────────────────────────────────────────────────────────────────────


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


@each_decision
def test_a_decision_is_short_dated_and_has_its_three_parts(decision: Path) -> None:
    text = decision.read_text("utf-8")
    assert text.count("\n") <= 40
    heading, _, status, *_ = text.splitlines()
    assert re.fullmatch(rf"# {int(decision.name[:4])}\. \S.*", heading)
    assert re.fullmatch(r"Date: 20\d\d-\d\d-\d\d\. Status: (accepted|superseded by \d+)\.", status)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_the_index_of_decisions_is_complete() -> None:
    index = (REPOSITORY / "docs" / "decisions" / "README.md").read_text("utf-8")
    rows = []
    for path in DECISIONS:
        text = path.read_text("utf-8")
        title = re.match(r"# (\d+)\. (.*)\n", text)
        date = re.search(r"^Date: (\S+)\. Status: (.*)\.$", text, re.MULTILINE)
        rows.append(f"| {title[1]} | [{title[2]}]({path.name}) | {date[1]} | {date[2]} |")
    assert re.findall(r"^\| \d.*$", index, re.MULTILINE) == rows


def test_the_newest_release_of_the_changelog_is_the_version_of_the_package() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    released = sections[1:] if sections[0].endswith(" - unreleased") else sections
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ \(20\d\d-\d\d-\d\d\)", section) for section in released)
    assert released[0].split()[0] == mlops.__version__


def test_the_released_version_is_the_first_that_security_fixes_are_made_for() -> None:
    text = (REPOSITORY / "SECURITY.md").read_text("utf-8")
    first, *others = re.findall(r"^\| (\d+\.\d+) \| (\w+)", text, re.MULTILINE)
    assert first == (mlops.__version__.rpartition(".")[0], "yes")
    assert {answer for _, answer in others} == {"no"}


@pytest.mark.parametrize(
    "picture", sorted((REPOSITORY / "docs" / "images").glob("*.svg")), ids=lambda p: p.name
)
def test_a_drawing_has_colours_for_dark_pages(picture: Path) -> None:
    style = re.search(r"<style>(.*?)</style>", picture.read_text("utf-8"), re.DOTALL)
    light, _, dark = style[1].partition("@media (prefers-color-scheme: dark)")
    coloured = {
        name
        for name, rule in re.findall(r"\.(\w+)\{([^}]*)\}", light)
        if "#" in re.sub(r"url\(#\w+\)", "", rule)
    }
    assert coloured == set(re.findall(r"\.(\w+)\{", dark))
    drawn = picture.read_text("utf-8").replace(style[0], "")
    assert not re.findall(r'(?:fill|stroke)="#', drawn), "a colour that the style cannot change"


def test_the_import_paths_of_the_changelog_exist() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    rows = re.findall(r"^ *\| `mlops[^|]*\| `(mlops[\w.]*)`", text, re.MULTILINE)
    assert len(rows) > 5
    for name in rows:
        try:
            importlib.import_module(name)
        except ImportError:
            module, _, attribute = name.rpartition(".")
            assert hasattr(importlib.import_module(module), attribute), name


# ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A command that is not run here: which file runs it or the same call, or why no file can."""

    covered_by: str = ""
    reason: str = ""


# Commands are compared by their beginning.
ELSEWHERE = {
    "make setup": Elsewhere("Makefile"),
    "make check": Elsewhere(".pre-commit-config.yaml"),
    "make static": Elsewhere("Makefile"),
    "make test": Elsewhere(".ci/run"),
    "make prove": Elsewhere("tests/proofs/test_kills.py"),
    "make mutations": Elsewhere("tests/mutations/test_mutations.py"),
    "make demo": Elsewhere("tests/e2e/test_path.py"),
    "make up": Elsewhere("tests/e2e/conftest.py"),
    "make down": Elsewhere("tests/e2e/conftest.py"),
    ".venv/bin/python -m local drop": Elsewhere("tests/e2e/test_dashboard.py"),
    "make docs": Elsewhere("Makefile"),
    ".venv/bin/python -m local check-drift": Elsewhere("tests/e2e/test_dashboard.py"),
    'eval "$(.venv/bin/python -m local env)"': Elsewhere("tests/e2e/test_the_command.py"),
    'eval "$(mlops completion': Elsewhere("tests/unit/test_command_line.py"),
    ".venv/bin/sam local": Elsewhere(reason="needs Docker and the image of Lambda"),
    "curl --aws-sigv4": Elsewhere("tests/unit/context/test_predict.py"),
    "aws s3 cp": Elsewhere("tests/e2e/test_path.py"),
    "aws events": Elsewhere("tests/e2e/test_the_command.py"),
    "make deploy": Elsewhere("tests/proofs/test_deployment.py"),
    "make smoke": Elsewhere("tests/proofs/test_smoke.py"),
    "sam delete": Elsewhere(reason="needs an AWS account"),
    "pip install .": Elsewhere("tests/packaging/test_wheel.py"),
    "pip install '.[train]'": Elsewhere("tests/packaging/test_version_matrix.py"),
    "pip install '.[aws]'": Elsewhere("tests/packaging/test_version_matrix.py"),
    ".venv/bin/python -m pytest": Elsewhere("tests/test_documents.py"),
    ".venv/bin/python -m mlops.dataset.validation.rules_table": Elsewhere(
        "tests/unit/dataset/test_rules_table.py"
    ),
}


def commands(document: Path) -> list[str]:
    """Every command of the bash blocks, without its comment."""
    lines = [line for block in blocks(document, "bash") for line in block.splitlines()]
    return [
        " ".join(shlex.split(line, comments=True)) and line.split("  #")[0].strip()
        for line in lines
        if line.strip()
    ]


def runs_here(command: str) -> bool:
    return command.removeprefix(".venv/bin/").startswith(("mlops ", "printf "))


def names_a_stack(command: str) -> bool:
    return bool(re.search(r"--stack NAME|\bGROUP\b", command))


@each_document
def test_every_command_is_run_by_a_test(document: Path) -> None:
    for command in commands(document):
        if not command or runs_here(command):
            continue
        entries = [entry for beginning, entry in ELSEWHERE.items() if command.startswith(beginning)]
        assert entries, f"{command!r} is run by no test: run it here, or name the test that does in ELSEWHERE"


@each_document
def test_the_arguments_of_every_command_exist(document: Path) -> None:
    for command in commands(document):
        for part in command.split(" | "):
            words = shlex.split(part.split(" < ")[0].removeprefix(".venv/bin/"))
            if words[:1] == ["mlops"]:
                command_parser(words[1:]).parse_args(words[1:])


def test_the_tests_that_run_other_commands_exist() -> None:
    for command, entry in ELSEWHERE.items():
        assert bool(entry.covered_by) != bool(entry.reason), command
        assert (REPOSITORY / (entry.covered_by or ".")).exists(), command
    in_documents = {
        c.split()[1] for document in DOCUMENTS for c in commands(document) if c.startswith("make ")
    }
    assert in_documents <= make_targets()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the commands name: what a reader could have."""
    train = pd.read_csv(EXAMPLE / "train.csv", nrows=1_000)
    (tmp_path / "data").mkdir()
    for name in ("my.csv", "data/train.csv"):
        train.to_csv(tmp_path / name, index=False)
    for name in ("new.csv", "data/inference.csv"):
        shutil.copyfile(EXAMPLE / "score.csv", tmp_path / name)
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    return tmp_path


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_commands_on_plain_files_work(name: str, folder: Path) -> None:
    run_commands(name, folder)
    assert (folder / "model" / "model_card.html").is_file()
    assert (folder / "predictions" / "predictions.csv").is_file()


@pytest.mark.parametrize(
    "page",
    ["reference/command-line", "how-to/train-on-plain-files", "how-to/accept-a-file", "tutorial/examples"],
)
def test_the_commands_of_a_page_work(page: str, folder: Path) -> None:
    assert run_commands(f"docs/{page}.md", folder) > 0


def run_commands(name: str, folder: Path) -> int:
    """Run the commands on plain files of a document, and return how many these are."""
    # the console script of this environment
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    runnable = [c for c in commands(REPOSITORY / name) if runs_here(c) and not names_a_stack(c)]
    for command in runnable:
        line = command.replace(".venv/bin/", "").replace(
            "ElasticNet", "Ridge"
        )  # made by the reader of CONTRIBUTING.md
        done = subprocess.run(
            line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return len(runnable)


def test_the_python_of_the_readme_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (block,) = blocks(REPOSITORY / "README.md", "python")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["result"].metrics.n_rows > 0
    assert (folder / "predictions" / "predictions.csv").is_file()


def test_the_example_of_a_rule_is_a_rule(tmp_path: Path) -> None:
    (block,) = (b for b in blocks(REPOSITORY / "CONTRIBUTING.md", "python") if b.startswith("@rule"))
    (tmp_path / "numbers.csv").write_text("17,plan\n" + "3,gold\n4,silver\n" * 20, "utf-8")
    try:
        exec(compile(block, "CONTRIBUTING.md", "exec"), dict(vars(header)))
        report = validate(tmp_path / "numbers.csv", {"target": "plan"})
    finally:
        RULES.pop("numeric_names", None)
    findings = [finding for finding in report.findings if finding.rule_id == "numeric_names"]
    assert [(finding.severity, finding.column) for finding in findings] == [("warn", "17")]


def test_the_settings_of_the_readme_are_valid() -> None:
    (block,) = blocks(REPOSITORY / "README.md", "toml")
    settings = GroupSettings.from_toml(block)
    assert settings.target == "offtrt"


@each_document
def test_every_named_command_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    named = set(re.findall(r"`mlops ([a-z][a-z-]*)", text))
    assert named <= command_names()
    assert set(re.findall(r"`make ([a-z]+)", text)) <= make_targets()


@cache
def command_names() -> frozenset[str]:
    done = subprocess.run(
        [sys.executable, "-m", "mlops", "--help"], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return frozenset(re.findall(r"^  ([a-z][a-z-]*) ", done.stdout, re.MULTILINE))


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))
