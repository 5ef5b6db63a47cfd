"""Drift of a model's inputs: profiles, statistics, verdicts, reports.

The public names are loaded on first use, because `mlops.models` and the command line must not pay for pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.monitoring.drift_detector import DriftDetector
    from mlops.monitoring.profiles.baseline import build_baseline, load_baseline_statistics
    from mlops.monitoring.profiles.batch import merge, profile_batch
    from mlops.monitoring.report.report import render, render_text

__all__ = [
    "DriftDetector",
    "build_baseline",
    "load_baseline_statistics",
    "merge",
    "profile_batch",
    "render",
    "render_text",
]

_HOMES = {
    "DriftDetector": "drift_detector",
    "build_baseline": "profiles.baseline",
    "load_baseline_statistics": "profiles.baseline",
    "merge": "profiles.batch",
    "profile_batch": "profiles.batch",
    "render": "report.report",
    "render_text": "report.report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
