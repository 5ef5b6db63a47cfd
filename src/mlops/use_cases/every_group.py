"""Checks of all groups: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mlops.models.errors import MlopsError
from mlops.pages.number_format import counted


def check_every_group[T](
    groups: Iterable[str], check: Callable[[str], Sequence[T]], failed: Callable[[str], MlopsError]
) -> list[T]:
    """Check every group and return all results.

    Parameters
    ----------
    failed
        Makes the error that says that some groups could not be checked, of the number of them and their
        causes.

    Raises
    ------
    MlopsError
        That of `failed`, after all groups were checked, when some could not be.
    """
    results: list[T] = []
    failures: dict[str, Exception] = {}
    for group in groups:
        try:
            results += check(group)
        except Exception as error:  # noqa: BLE001  the other groups must be checked; raised below
            failures[group] = error
    if failures:
        causes = "; ".join(
            f"{group}: {str(error) or type(error).__name__}" for group, error in failures.items()
        )
        raise failed(f"{counted(len(failures), 'group')}: {causes}") from ExceptionGroup(
            "failed groups", list(failures.values())
        )
    return results
