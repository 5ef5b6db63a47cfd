"""Every error the library raises on purpose, as one tree.

State machines catch by these class names; a test keeps the names in `ErrorEquals` equal to the names here.

    MlopsError
    ├── ApprovalError            an approval request cannot be made or answered
    │   ├── ApprovalClosedError  no execution waits for this decision any more
    │   └── NoApproverError      too few approvers have confirmed their subscription
    ├── ArtifactError            a model artifact must not or cannot be loaded
    ├── BackupError              a backup cannot be made or restored
    ├── DatasetError             a file cannot be used as data
    │   └── UploadBusyError          another run works on the upload at this moment
    ├── DriftError               data cannot be compared with a model's baseline, or a nightly check failed
    ├── EndpointError            an endpoint does not serve the champion
    ├── ExperimentError          a run cannot be recorded, compared or exported
    │   ├── MlflowError              the MLflow server refuses or does not answer
    │   └── RunNotFoundError         no run has that id, or fits the conditions
    ├── FeatureStoreError        features cannot be defined, stored or read
    ├── JobError                 a job or a step did not come to its end, whatever the data
    │   ├── CapacityError            AWS has no machine to give
    │   ├── JobStoppedError          the job was stopped, by its time limit or by a person
    │   ├── StepError                a step failed unexpectedly
    │   └── ThrottledError           AWS answered too many requests at once
    ├── LedgerError              predictions in the ledger cannot be recorded, read or changed
    ├── MissingPackageError      a library that an extra installs is not installed
    ├── ObjectNotFoundError      an object, or that version of it, does not exist
    ├── QueryError               a query over stored rows is not one SELECT, or fails
    ├── RegistryError            the registry refuses a change
    │   ├── ModelNotFoundError       the group or the version is not registered
    │   ├── RegistryConflictError    another writer changed the group at the same moment, again and again
    │   └── TransitionNotAllowedError   the version's status does not allow the action
    ├── ScoringError             a batch cannot be scored
    │   ├── RequestError             a request to predict cannot be answered as it is
    │   └── RequestTooLargeError     a request to predict, or its answer, has too many bytes
    ├── SettingsError            a setting is unknown or has an impossible value
    ├── TrainingError            a training run cannot go on
    └── WebhookError             the webhook did not take a notification
"""

from __future__ import annotations


class MlopsError(Exception):
    """Base of all errors raised on purpose; the message is one sentence that says what to do."""


class ApprovalError(MlopsError):
    """An approval request cannot be made or answered."""


class ApprovalClosedError(ApprovalError):
    """No execution waits for this decision any more: it timed out, was answered, or has ended."""


class NoApproverError(ApprovalError):
    """Too few approvers have confirmed their subscription, so the request could not be answered."""


class ArtifactError(MlopsError):
    """A model artifact must not or cannot be loaded."""


class BackupError(MlopsError):
    """A backup cannot be made or restored as it was requested."""


class DatasetError(MlopsError):
    """A file cannot be used as data."""


class UploadBusyError(DatasetError):
    """Another run works on the upload at this moment; retry later."""


class DriftError(MlopsError):
    """Data cannot be compared with a model's baseline, or a nightly check failed."""


class QualityError(MlopsError):
    """The realised quality of a group cannot be measured."""


class EndpointError(MlopsError):
    """The endpoint of a group does not serve the champion."""


class ExperimentError(MlopsError):
    """A run cannot be recorded, compared or exported."""


class MlflowError(ExperimentError):
    """The MLflow server refuses a request or does not answer."""


class RunNotFoundError(ExperimentError):
    """No run has that id, or fits the conditions."""


class FeatureStoreError(MlopsError):
    """Features cannot be defined, stored or read."""


class JobError(MlopsError):
    """A job or a step did not come to its end, whatever the data."""


class CapacityError(JobError):
    """AWS has no machine to give, or the quota is used up."""


class JobStoppedError(JobError):
    """The job was stopped, by its time limit or by a person."""


class StepError(JobError):
    """A step failed unexpectedly; its log says where."""


class ThrottledError(JobError):
    """AWS answered too many requests at once, and did so after every retry."""


class LedgerError(MlopsError):
    """Predictions in the ledger cannot be recorded, read or changed."""


class MissingPackageError(MlopsError):
    """A library that an extra of this package installs is not installed."""


class ObjectNotFoundError(MlopsError):
    """An object, or the requested version of it, does not exist."""


class QueryError(MlopsError):
    """A query over stored rows is not one SELECT, is refused, or fails."""


class RegistryError(MlopsError):
    """The registry refuses a change."""


class ModelNotFoundError(RegistryError):
    """The group or the version is not registered."""


class RegistryConflictError(RegistryError):
    """Another writer changed the group at the same moment, again and again."""


class TransitionNotAllowedError(RegistryError):
    """The version's status does not allow the action."""


class ScoringError(MlopsError):
    """A batch cannot be scored."""


class RequestError(ScoringError):
    """A request to predict cannot be answered as it is; the message says what to change."""


class RequestTooLargeError(ScoringError):
    """A request to predict, or its answer, has too many bytes; send fewer rows at once."""


class SettingsError(MlopsError):
    """A setting is unknown or has an impossible value."""


class TrainingError(MlopsError):
    """A training run cannot go on."""


class WebhookError(MlopsError):
    """The webhook did not take a notification."""


# A step that failed with one of these may succeed when it is run again; the state machines do that.
TRANSIENT_ERRORS = (CapacityError, RegistryConflictError, ThrottledError, UploadBusyError)

# The same step fails with these again, whatever the time; the state machines do not repeat it.
PERMANENT_ERRORS = (
    ApprovalClosedError,
    ApprovalError,
    ArtifactError,
    DatasetError,
    DriftError,
    ExperimentError,
    MissingPackageError,
    ModelNotFoundError,
    NoApproverError,
    ObjectNotFoundError,
    RegistryError,
    RunNotFoundError,
    ScoringError,
    SettingsError,
    TrainingError,
    TransitionNotAllowedError,
)
