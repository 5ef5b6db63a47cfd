"""Profiles of training data and of batches: small JSON documents that stand for any number of rows."""

from mlops.monitoring.baseline import build_baseline, load_baseline_statistics
from mlops.monitoring.batch import merge, profile_batch

__all__ = ["build_baseline", "load_baseline_statistics", "merge", "profile_batch"]
