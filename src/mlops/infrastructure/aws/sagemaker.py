"""Amazon SageMaker: models, the endpoints that serve them, and the training jobs of tuning jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code

_MISSING = ("ResourceNotFound", "ResourceNotFoundException")
_COULD_NOT_FIND = "Could not find"  # how a ValidationException begins that means the same


class SageMakerEndpoints:
    """Looks at endpoints, their configurations, and models; it changes nothing."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def endpoint(self, name: str) -> tuple[str, str, str] | None:
        """Return status, configuration and reason of a failure of an endpoint; None when there is none."""
        try:
            endpoint = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            _raise_unless_missing(error)
            return None
        return endpoint["EndpointStatus"], endpoint["EndpointConfigName"], endpoint.get("FailureReason") or ""

    def has_configuration(self, name: str) -> bool:
        """Return whether a configuration of an endpoint exists."""
        try:
            self._sagemaker.describe_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            _raise_unless_missing(error)
            return False
        return True

    def has_model(self, name: str) -> bool:
        """Return whether a model exists."""
        try:
            self._sagemaker.describe_model(ModelName=name)
        except ClientError as error:
            _raise_unless_missing(error)
            return False
        return True


class SageMakerTuningJobs:
    """Looks at the training jobs of tuning jobs; it changes nothing."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def training_jobs(self, name: str) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]] | None:
        """Return summary and description of each job of a tuning job; None when there is no tuning job.

        Each job is described, because its summary does not contain what is billed.
        """
        try:
            return [(summary, self._describe(summary)) for summary in self._summaries(name)]
        except ClientError as error:
            if error_code(error) not in _MISSING:
                raise
            return None

    def _describe(self, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        job: Mapping[str, Any] = self._sagemaker.describe_training_job(
            TrainingJobName=summary["TrainingJobName"]
        )
        return job

    def _summaries(self, name: str) -> Iterator[Mapping[str, Any]]:
        more: dict[str, str] = {}
        while True:
            page = self._sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
                HyperParameterTuningJobName=name, MaxResults=100, **more
            )
            yield from page["TrainingJobSummaries"]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}


def _raise_unless_missing(error: ClientError) -> None:
    details = error.response["Error"]
    if details["Code"] not in _MISSING and not details["Message"].startswith(_COULD_NOT_FIND):
        raise error
