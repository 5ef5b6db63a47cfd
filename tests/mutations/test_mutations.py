"""The list of mutations is long enough and belongs to the code as it is; `make mutations` runs it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.mutations.areas import AREAS
from tests.mutations.mutation import Mutation, OutdatedMutationError

EVERY = [mutation for mutations in AREAS.values() for mutation in mutations]


def test_at_least_forty_changes_that_weaken_the_system_are_listed() -> None:
    assert len({mutation.name for mutation in EVERY}) == len(EVERY) >= 40


@pytest.mark.parametrize("mutation", EVERY, ids=lambda mutation: mutation.name)
def test_a_mutation_changes_its_file_and_names_tests_that_exist(
    mutation: Mutation, tmp_path: Path, repository: Path
) -> None:
    (tmp_path / mutation.file).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(repository / mutation.file, tmp_path / mutation.file)
    mutation.apply(tmp_path)
    assert mutation.tests
    mutation.check_tests(repository)


@pytest.mark.parametrize(("old", "new"), [("gone", "x"), ("twice", "x"), ("once", "once")])
def test_a_mutation_that_does_not_apply_is_an_error(old: str, new: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("once twice twice")
    with pytest.raises(OutdatedMutationError, match="file holds the text"):
        Mutation("m", "file", old, new, ("t::t",)).apply(tmp_path)


def test_a_test_that_is_gone_is_an_error(repository: Path) -> None:
    with pytest.raises(OutdatedMutationError, match="does not exist"):
        Mutation("m", "file", "a", "b", ("tests/mutations/test_mutations.py::test_gone",)).check_tests(
            repository
        )
