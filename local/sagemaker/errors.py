"""Errors of the SageMaker API."""


class SageMakerError(Exception):
    """An API error with the code that AWS uses."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class JobFailedError(Exception):
    """A job cannot go on; the message becomes its FailureReason."""


def validation_error(message: str) -> SageMakerError:
    """Return the error for a request that is not acceptable."""
    return SageMakerError("ValidationException", message)


def access_denied(message: str) -> SageMakerError:
    """Return the error for a caller who lacks a permission."""
    return SageMakerError("AccessDeniedException", message)
