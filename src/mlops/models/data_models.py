"""The data models of the library in one place; each lives in the module of its subject."""

from mlops.models.drift.profiles import BaselineStatistics
from mlops.models.drift.report import DriftReport
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.prediction import MedicationAdherencePrediction, Prediction
from mlops.models.scoring.result import InferenceResult
from mlops.models.training import EvaluationMetrics, TrainingResult

__all__ = [
    "BaselineStatistics",
    "DriftReport",
    "EvaluationMetrics",
    "InferenceResult",
    "MedicationAdherencePrediction",
    "ModelMetadata",
    "Prediction",
    "TrainingResult",
]
