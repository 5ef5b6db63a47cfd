"""Experiments: every run with its params, metrics, data, code and artifacts, to find and compare again."""

from mlops.experiment.active_run import ActiveRun
from mlops.experiment.opening import open_store
from mlops.experiment.origins import describe_dataset
from mlops.experiment.tracker import ExperimentTracker
from mlops.experiment.training_runs import record_failed_training, record_training

__all__ = [
    "ActiveRun",
    "ExperimentTracker",
    "describe_dataset",
    "open_store",
    "record_failed_training",
    "record_training",
]
