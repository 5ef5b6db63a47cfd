"""One change to one file, and the tests that fail with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class OutdatedMutationError(Exception):
    """The text to be replaced is not in its file exactly once, or a test that is named does not exist."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is changed: `old` is in `file` exactly once. Each of `tests` is `path::function`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> None:
        """Change the file below `root`.

        Raises
        ------
        OutdatedMutationError
            If the text to replace is not there exactly once, or would not change.
        """
        path = root / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1 or self.old == self.new:
            raise OutdatedMutationError(
                f"{self.name}: {self.file} holds the text {text.count(self.old)} times."
            )
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")

    def check_tests(self, root: Path) -> None:
        """Check that every test that is named exists.

        Raises
        ------
        OutdatedMutationError
            If one does not.
        """
        for test in self.tests:
            file, _, function = test.partition("::")
            path = root / file
            if not path.is_file() or f"def {function}(" not in path.read_text(encoding="utf-8"):
                raise OutdatedMutationError(f"{self.name}: {test} does not exist.")
