"""Events of the application on EventBridge, source `mlops`; docs/reference/events.md describes each."""

from __future__ import annotations

from typing import Final

MODEL_REGISTERED: Final = "ModelRegistered"
MODEL_APPROVED: Final = "ModelApproved"
MODEL_REJECTED: Final = "ModelRejected"
MODEL_EXPIRED: Final = "ModelExpired"
MODEL_SUPERSEDED: Final = "ModelSuperseded"
CHAMPION_CHANGED: Final = "ChampionChanged"
CONVERSION_REQUESTED: Final = "ConversionRequested"
DATASET_ACCEPTED: Final = "DatasetAccepted"
DATASET_REJECTED: Final = "DatasetRejected"
UPLOAD_IGNORED: Final = "UploadIgnored"
UPLOAD_FAILED: Final = "UploadFailed"
SETTINGS_REJECTED: Final = "SettingsRejected"
PREDICTIONS_READY: Final = "PredictionsReady"
QUALITY_MEASURED: Final = "QualityMeasured"
QUALITY_DROPPED: Final = "QualityDropped"
RETRAINING_PROPOSED: Final = "RetrainingProposed"
RETRAINING_REQUESTED: Final = "RetrainingRequested"
RETRAINING_STARTED: Final = "RetrainingStarted"
DRIFT_DETECTED: Final = "DriftDetected"
DRIFT_WARNED: Final = "DriftWarned"
DRIFT_RESOLVED: Final = "DriftResolved"
ENDPOINT_READY: Final = "EndpointReady"
ENDPOINT_FAILED: Final = "EndpointFailed"
