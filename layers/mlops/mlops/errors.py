"""Every error the library raises on purpose, as one tree.

State machines catch by these class names; a test keeps the names in `ErrorEquals` equal to the names here.

    MlopsError
    ├── ApprovalError            an approval request cannot be made or answered
    │   ├── ApprovalClosedError  nobody waits for this decision any more
    │   └── NoApproverError      too few approvers have confirmed their subscription
    ├── ArtifactError            a model artifact must not or cannot be loaded
    ├── DatasetError             a file cannot be used as data
    ├── ObjectNotFoundError      an object, or that version of it, does not exist
    ├── RegistryError            the registry refuses a change
    │   ├── ModelNotFoundError       the group or the version is not registered
    │   ├── RegistryConflictError    somebody else changed the group at the same moment, again and again
    │   └── TransitionNotAllowedError   the version's status does not allow the action
    ├── SettingsError            a setting is unknown or has an impossible value
    └── TrainingError            a training run cannot go on
"""

from __future__ import annotations


class MlopsError(Exception):
    """Base of all errors raised on purpose; the message is one sentence that says what to do."""


class ApprovalError(MlopsError):
    """An approval request cannot be made or answered."""


class ApprovalClosedError(ApprovalError):
    """Nobody waits for this decision any more: it timed out, was answered, or its execution has ended."""


class NoApproverError(ApprovalError):
    """Too few approvers have confirmed their subscription, so the request would wait for nobody."""


class ArtifactError(MlopsError):
    """A model artifact must not or cannot be loaded."""


class DatasetError(MlopsError):
    """A file cannot be used as data."""


class ObjectNotFoundError(MlopsError):
    """An object, or the asked version of it, does not exist."""


class RegistryError(MlopsError):
    """The registry refuses a change."""


class ModelNotFoundError(RegistryError):
    """The group or the version is not registered."""


class RegistryConflictError(RegistryError):
    """Somebody else changed the group at the same moment, again and again."""


class TransitionNotAllowedError(RegistryError):
    """The version's status does not allow the action."""


class SettingsError(MlopsError):
    """A setting is unknown or has an impossible value."""


class TrainingError(MlopsError):
    """A training run cannot go on."""
