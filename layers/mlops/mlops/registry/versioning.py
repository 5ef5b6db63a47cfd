"""Version names: `v<major>.<minor>.<patch>`, moved on by what changed since the version before."""

from __future__ import annotations

import re

from mlops.models.registry import Candidate, ModelMetadata

FIRST_VERSION = "v1.0.0"

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)", re.ASCII)


def next_version(latest: ModelMetadata, candidate: Candidate) -> str:
    """Return the name of the candidate as the version after `latest`.

    Major when features or target differ, minor when the algorithm or its hyperparameters do, else patch: new
    data. The order of the features does not matter; unknown features and an unknown target count as
    unchanged.
    """
    major, minor, patch = parse_version(latest.version)
    if _has_new_inputs(latest, candidate):
        return f"v{major + 1}.0.0"
    has_new_algorithm = latest.algorithm != candidate.algorithm
    if has_new_algorithm or dict(latest.hyperparameters) != dict(candidate.hyperparameters):
        return f"v{major}.{minor + 1}.0"
    return f"v{major}.{minor}.{patch + 1}"


def parse_version(version: str) -> tuple[int, int, int]:
    """Return the three numbers of `v1.2.3`.

    Raises
    ------
    ValueError
        If the text is no version.
    """
    match = _VERSION.fullmatch(version)
    if match is None:
        raise ValueError(f"{version!r} is not a version like {FIRST_VERSION}.")
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def _has_new_inputs(before: Candidate, after: Candidate) -> bool:
    has_new_features = bool(before.features and after.features) and set(before.features) != set(
        after.features
    )
    return has_new_features or (None not in (before.target, after.target) and before.target != after.target)
