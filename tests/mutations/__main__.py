"""Run the named tests against every mutation: `python -m tests.mutations [AREA ...]`, or `make mutations`.

The tree is copied, and first all tests are run on it as it is: they must pass. Then each mutation is applied
alone, and each of its tests must fail. The exit code is 1 when a mutation is not noticed or is outdated.
"""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.mutations.areas import AREAS
from tests.mutations.mutation import Mutation, OutdatedMutationError

ROOT = Path(__file__).resolve().parents[2]
_NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".aws-sam", "__pycache__", ".*_cache", ".local-cloud")
# imported once, before the processes of the tests are forked: it takes longer than most tests
_PRELOADED = ("boto3", "jinja2", "moto", "moto.dynamodb", "numpy", "pandas", "sklearn.pipeline")
_PASSED, _FAILED = 0, 1  # exit codes of pytest; the others say that it could not run the tests


def main(areas: Sequence[str]) -> int:
    """Print one line for each mutation of the areas, by default all; return the exit code."""
    for name in _PRELOADED:
        importlib.import_module(name)
    mutations = [mutation for area in areas or AREAS for mutation in AREAS[area]]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(ROOT, Path(scratch) / "tree", ignore=_NOT_COPIED))
        named = sorted({test for mutation in mutations for test in mutation.tests})
        if _run(copy, named) != _PASSED:
            print("The tests do not pass without a mutation.")
            return 1
        results = [_judge(mutation, copy) for mutation in mutations]
    n_noticed = results.count("noticed")
    print(f"{n_noticed} of {len(results)} mutations are noticed.")
    return 0 if n_noticed == len(results) else 1


def _judge(mutation: Mutation, copy: Path) -> str:
    started, original = time.monotonic(), (copy / mutation.file).read_bytes()
    try:
        mutation.apply(copy)
        codes = {_run(copy, [test]) for test in mutation.tests}
        result = "noticed" if codes == {_FAILED} else f"NOT NOTICED (pytest exits with {sorted(codes)})"
    except OutdatedMutationError as error:
        result = f"OUTDATED: {error}"
    finally:
        (copy / mutation.file).write_bytes(original)
    print(f"{result:<8} {time.monotonic() - started:5.1f} s  {mutation.name}", flush=True)
    return result


def _run(copy: Path, tests: Sequence[str]) -> int | None:
    """Run tests in the copy, with its library, in a fork of this process; return the exit code of pytest."""
    child = get_context("fork").Process(target=_run_here, args=(copy, tests))
    child.start()
    child.join()
    return child.exitcode


def _run_here(copy: Path, tests: Sequence[str]) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # those of the copy are imported instead
    os.chdir(copy)
    sys.path[:0] = [str(copy), str(copy / "src")]
    os.environ["PYTHONPATH"] = str(copy / "src")  # of the processes that tests start
    # without bytecode, because a change of the same length within a second would not replace it
    os.environ["PYTHONDONTWRITEBYTECODE"], sys.dont_write_bytecode = "1", True
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
