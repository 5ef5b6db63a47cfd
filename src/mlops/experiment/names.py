"""Names that runs, their files and their metrics may have."""

from __future__ import annotations

import re

from mlops.models.errors import ExperimentError
from mlops.models.group_name import find_group_name_problem

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def require_group(group: str) -> str:
    """Return the group if it can be one.

    Raises
    ------
    ExperimentError
        If the text cannot name a model group.
    """
    if problem := find_group_name_problem(group):
        raise ExperimentError(problem)
    return group


def require_run_id(run_id: str) -> str:
    """Return the id if it can be one.

    Raises
    ------
    ExperimentError
        If the text cannot be a run's id.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise ExperimentError(
            f"{run_id!r} cannot be the id of a run; use up to 128 letters, digits, dots, hyphens and "
            "underscores, beginning with a letter or digit."
        )
    return run_id


def require_path(path: str) -> str:
    """Return the path if it stays within a run and is the same on every store.

    Raises
    ------
    ExperimentError
        If it is absolute, leads upwards or has empty, hidden or backslashed parts.
    """
    parts = path.split("/")
    if any(not part or part.startswith(".") or "\\" in part or not part.isprintable() for part in parts):
        raise ExperimentError(f"{path!r} cannot name an artifact; use a relative path such as plots/roc.svg.")
    return path


def require_name(name: str, what: str) -> str:
    """Return the name of a param, metric or tag if it can be one.

    Raises
    ------
    ExperimentError
        If it is empty, longer than 250 characters or not printable.
    """
    if not name.strip() or len(name) > 250 or not name.isprintable():
        raise ExperimentError(f"{name[:50]!r} cannot name a {what}; use 1 to 250 printable characters.")
    return name
