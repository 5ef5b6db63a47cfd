"""List the benchmarks with their questions, or run them: `python -m benchmarks [NAME ... | short | all]`.

`short` runs those of cost once each, on fewer rows, beside the same peers, in about a quarter of an hour; its
tables go to .local/benchmarks/short/. `all` runs each of them whole, which takes hours.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.pages import FOLDER_VARIABLE
from benchmarks.peers import FILES

FOLDER = Path(__file__).resolve().parent
USAGE_ERROR = 2  # of argparse
SHORT: Mapping[str, Sequence[str]] = {
    "scoring": ["--rows", "200000", "--algorithms", "LogisticRegression", "XGBoost", "--repeats", "1"],
    "validation": ["--rows", "100000", "--repeats", "1"],
    "drift": ["--rows", "200000", "--repeats", "1"],
    "small_work": ["--repeats", "1"],
    "training": ["--rows", "200000", "--repeats", "1"],
    "whole_trainings": ["--scale", "0.2", "--repeats", "1"],
    "predict": [],
    "local_cloud": [],
}
SHORT_RESULTS = FILES / "short"


def questions() -> dict[str, str]:
    """Return the question of every benchmark, by name."""
    by_name = {}
    for path in sorted(FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        is_started_by_another = path.stem.startswith("_") or path.stem.endswith("_candidates")
        if not is_started_by_another and 'if __name__ == "__main__"' in text:
            lines = (ast.get_docstring(ast.parse(text)) or path.stem).splitlines()
            question = next((line for line in lines if line.startswith("Question:")), lines[0])
            by_name[path.stem] = question.removeprefix("Question: ")
    return by_name


def main() -> int:
    """Run the named benchmarks one after the other; arguments after `--` go to each."""
    benchmarks = questions()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="which to run, short, or all; none lists them"
    )
    before = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    passed_on = sys.argv[len(before) + 2 :]
    names = parser.parse_args(before).names
    if not names:
        for name, question in benchmarks.items():
            print(f"{name:20} {question}")
        return 0
    compile_packages()
    if names == ["short"]:
        os.environ[FOLDER_VARIABLE] = str(SHORT_RESULTS)
        return max(run(name, arguments) for name, arguments in SHORT.items())
    chosen = list(benchmarks) if names == ["all"] else names
    if unknown := [name for name in chosen if name not in benchmarks]:
        parser.error(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(benchmarks)}, short, all")
    codes = [run(name, passed_on) for name in chosen]
    if names == ["all"]:  # some need a folder or a peer, and have said so
        codes = [code for code in codes if code != USAGE_ERROR]
    return max(map(abs, codes), default=0)  # that of a killed process is negative


def compile_packages() -> None:
    """Compile the library and its packages, as installers do, also where Python may not write files."""
    for folder in (FOLDER.parent / "src", sysconfig.get_path("purelib")):
        compileall.compile_dir(str(folder), quiet=2)


def run(name: str, arguments: Sequence[str]) -> int:
    """Run one benchmark and return its exit code."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
