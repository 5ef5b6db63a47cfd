"""Which library versions may load a stored model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VersionRule:
    """How a version may differ from the one that wrote a model.

    The first `n_equal` parts must be equal; with `needs_newer` the minor version must not be older either.
    """

    n_equal: int
    needs_newer: bool = False

    def allows(self, saved: str, present: str) -> bool:
        """Return whether the version `present` may load what the version `saved` wrote."""
        old, new = _parts(saved), _parts(present)
        return old[: self.n_equal] == new[: self.n_equal] and (not self.needs_newer or new[:2] >= old[:2])

    def allowed(self, saved: str) -> str:
        """Return the versions that may load what the version `saved` wrote, in words."""
        parts = _parts(saved)
        if self.needs_newer:
            return f"{parts[0]}.{parts[1]} or a later {parts[0]}.x"
        return ".".join([*map(str, parts[: self.n_equal]), "x"]) if self.n_equal else "any version"


# scikit-learn promises nothing between minor versions: attributes of fitted estimators come and go there.
# XGBoost and skops have formats of their own, which later versions of the same major read.
# Of Python, numpy, scipy and pandas a model holds plain arrays and text only.
RULES: Mapping[str, VersionRule] = {
    "python": VersionRule(1),
    "numpy": VersionRule(1),
    "pandas": VersionRule(0),
    "scipy": VersionRule(1),
    "scikit-learn": VersionRule(2),
    "skops": VersionRule(1, needs_newer=True),
    "xgboost": VersionRule(1, needs_newer=True),
}


def version_problems(saved: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Return what keeps the installed libraries from loading a model; empty when nothing does.

    Parameters
    ----------
    saved
        Versions by library, as the model's manifest contains them; a library without a rule must be the same.
    present
        Versions by library of this environment.

    Returns
    -------
    list of str
        One phrase per library, with the saved, the installed and the allowed version.
    """
    problems = []
    for name, version in saved.items():
        rule, installed = RULES.get(name), present.get(name)
        if installed is not None and (rule.allows(version, installed) if rule else version == installed):
            continue
        allowed = rule.allowed(version) if rule else version
        problems.append(f"{name} {version} (installed: {installed or 'none'}; needed: {allowed})")
    return problems


def _parts(version: str) -> tuple[int, int, int]:
    """Return major, minor and patch; what is missing or not a number is 0."""
    numbers = [re.match(r"\d+", part) for part in version.split(".")[:3]]
    major, minor, patch = ([int(n.group()) if n else 0 for n in numbers] + [0, 0, 0])[:3]
    return major, minor, patch
