"""CloudWatch metrics of the application; alarms and dashboards are checked against this list.

Every metric is published twice: for the model group (dimension `ModelGroup`) and for the stack (no
dimension), because an alarm must name its dimensions before the groups are known.
"""

from __future__ import annotations

UPLOADS_ACCEPTED = "UploadsAccepted"
UPLOADS_REJECTED = "UploadsRejected"
UPLOADS_IGNORED = "UploadsIgnored"
UPLOADS_FAILED = "UploadsFailed"
SETTINGS_FILES_REJECTED = "SettingsFilesRejected"
UPLOADS_RECOVERED = "UploadsRecovered"
UPLOAD_SWEEPS_COMPLETED = "UploadSweepsCompleted"
MODELS_REGISTERED = "ModelsRegistered"
MODELS_REJECTED_BY_GATE = "ModelsRejectedByGate"
MODELS_PROMOTED = "ModelsPromoted"
CHAMPIONS_ROLLED_BACK = "ChampionsRolledBack"
APPROVALS_REQUESTED = "ApprovalsRequested"
APPROVALS_AUTOMATIC = "ApprovalsAutomatic"
APPROVALS_EXPIRED = "ApprovalsExpired"
TRAINING_COST_USD = "TrainingCostUsd"
OLDEST_APPROVAL_SECONDS = "OldestApprovalSeconds"
CONFIRMED_APPROVERS = "ConfirmedApprovers"
EXECUTIONS_FAILED = "ExecutionsFailed"
ROWS_SCORED = "RowsScored"
REALISED_QUALITY = "RealisedQuality"
ESTIMATED_QUALITY = "EstimatedQuality"
LABELLED_PREDICTIONS = "LabelledPredictions"
QUALITY_DROPS = "QualityDrops"
QUALITY_CHECKS_COMPLETED = "QualityChecksCompleted"
DRIFT_SCORE = "DriftScore"
PREDICTION_DRIFT_SCORE = "PredictionDriftScore"
REASON_DRIFT_SCORE = "ReasonDriftScore"
FEATURES_WITH_DRIFT = "FeaturesWithDrift"
DRIFT_ALERTS = "DriftAlerts"
ARRIVAL_ALERTS = "ArrivalAlerts"
DRIFT_CHECKS_COMPLETED = "DriftChecksCompleted"
FEATURE_VIEWS_STALE = "FeatureViewsStale"
FEATURE_MATERIALIZATIONS_COMPLETED = "FeatureMaterializationsCompleted"

MODEL_GROUP_DIMENSION = "ModelGroup"
