"""Every error the library raises on purpose, as one tree.

State machines catch by these class names; a test keeps the names in `ErrorEquals` equal to the names here.

    MlopsError
    ├── ApprovalError            an approval request cannot be made or answered
    ├── ArtifactError            a model artifact must not or cannot be loaded
    ├── DatasetError             a file cannot be used as data
    ├── ObjectNotFoundError      an object, or that version of it, does not exist
    ├── RegistryError            the registry refuses a change
    ├── SettingsError            a setting is unknown or has an impossible value
    └── TrainingError            a training run cannot go on
"""

from __future__ import annotations


class MlopsError(Exception):
    """Base of all errors raised on purpose; the message is one sentence that says what to do."""


class ApprovalError(MlopsError):
    """An approval request cannot be made or answered."""


class ArtifactError(MlopsError):
    """A model artifact must not or cannot be loaded."""


class DatasetError(MlopsError):
    """A file cannot be used as data."""


class ObjectNotFoundError(MlopsError):
    """An object, or the asked version of it, does not exist."""


class RegistryError(MlopsError):
    """The registry refuses a change."""


class SettingsError(MlopsError):
    """A setting is unknown or has an impossible value."""


class TrainingError(MlopsError):
    """A training run cannot go on."""
