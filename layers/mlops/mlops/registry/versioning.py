"""Version names: `v<major>.<minor>.<patch>`, moved on by what changed since the version before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops.models.registry import ModelMetadata

FIRST_VERSION = "v1.0.0"

_VERSION = re.compile(r"v(\d+)\.(\d+)\.(\d+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides how far the version moves; unknown features or an unknown target count as unchanged."""

    algorithm: str
    hyperparameters: Mapping[str, Any]
    features: tuple[str, ...] = ()
    target: str | None = None


def recipe_of(model: ModelMetadata) -> Recipe:
    """Return the recipe that a version was made by."""
    return Recipe(model.algorithm, model.hyperparameters, model.features, model.target)


def next_version(latest: str, before: Recipe, after: Recipe) -> str:
    """Return the name that follows `latest`.

    Major when features or target differ, minor when the algorithm or its hyperparameters do, else patch: new
    data. The order of the features does not matter.
    """
    major, minor, patch = parse_version(latest)
    if _has_new_inputs(before, after):
        return f"v{major + 1}.0.0"
    if (before.algorithm, dict(before.hyperparameters)) != (after.algorithm, dict(after.hyperparameters)):
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


def _has_new_inputs(before: Recipe, after: Recipe) -> bool:
    has_new_features = bool(before.features and after.features) and set(before.features) != set(
        after.features
    )
    return has_new_features or (None not in (before.target, after.target) and before.target != after.target)
