"""List the benchmarks with their questions, or run them: `python -m benchmarks [NAME ... | all]`."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
USAGE_ERROR = 2  # of argparse


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
    parser.add_argument("names", nargs="*", metavar="NAME", help="which to run, or all; none lists them")
    before = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    passed_on = sys.argv[len(before) + 2 :]
    names = parser.parse_args(before).names
    if not names:
        for name, question in benchmarks.items():
            print(f"{name:20} {question}")
        return 0
    chosen = list(benchmarks) if names == ["all"] else names
    if unknown := [name for name in chosen if name not in benchmarks]:
        parser.error(f"there is no benchmark {unknown[0]!r}; choose from {', '.join(benchmarks)}, all")
    codes = [
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *passed_on], check=False).returncode
        for name in chosen
    ]
    if names == ["all"]:  # some need a folder or a peer, and have said so
        codes = [code for code in codes if code != USAGE_ERROR]
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main())
