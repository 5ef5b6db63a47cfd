"""Train, approve, serve and watch tabular models: the library behind the serverless MLOps application.

Packages, from low to high; each imports only those before it: `models`, `infrastructure`, `algorithms`,
`links`, `pages`, `dataset`, `monitoring`, `pipelines`, `registry`, `experiment`, `feature_store`,
`ledger`, `approval`, `use_cases`, `intake`, `context`, `cli`. The names below are loaded on first use:
importing `mlops` imports nothing else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.context.connection import connect
    from mlops.dataset.validation.validate import validate
    from mlops.monitoring.detect_drift import detect_drift
    from mlops.monitoring.drift_detector import DriftDetector
    from mlops.pipelines.inference_pipeline import InferencePipeline
    from mlops.pipelines.trained_model import train
    from mlops.pipelines.training_pipeline import TrainingPipeline
    from mlops.registry.model_registry import ModelRegistry

__version__ = "0.2.0"

__all__ = [
    "DriftDetector",
    "InferencePipeline",
    "ModelRegistry",
    "TrainingPipeline",
    "__version__",
    "connect",
    "detect_drift",
    "train",
    "validate",
]

_DEFINED_IN = {
    "DriftDetector": "mlops.monitoring.drift_detector",
    "InferencePipeline": "mlops.pipelines.inference_pipeline",
    "ModelRegistry": "mlops.registry.model_registry",
    "TrainingPipeline": "mlops.pipelines.training_pipeline",
    "connect": "mlops.context.connection",
    "detect_drift": "mlops.monitoring.detect_drift",
    "train": "mlops.pipelines.trained_model",
    "validate": "mlops.dataset.validation.validate",
}


def __getattr__(name: str) -> Any:
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_DEFINED_IN[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
