"""Events of the application on EventBridge, source `mlops`; docs/events.md describes each."""

from __future__ import annotations

MODEL_REGISTERED = "ModelRegistered"
MODEL_APPROVED = "ModelApproved"
MODEL_REJECTED = "ModelRejected"
MODEL_EXPIRED = "ModelExpired"
MODEL_SUPERSEDED = "ModelSuperseded"
CHAMPION_CHANGED = "ChampionChanged"
DATASET_ACCEPTED = "DatasetAccepted"
DATASET_REJECTED = "DatasetRejected"
PREDICTIONS_READY = "PredictionsReady"
DRIFT_DETECTED = "DriftDetected"
DRIFT_RESOLVED = "DriftResolved"
