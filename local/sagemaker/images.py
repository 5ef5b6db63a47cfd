"""Pulling the image: nothing is pulled here, but the job's role needs the permissions for it."""

import re

from local.authorization import decide
from local.sagemaker.errors import JobFailedError
from local.sagemaker.jobs import Job

_ECR_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
_REPOSITORY_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


def check_image_access(job: Job) -> None:
    """Fail the job when its role could not pull its image from ECR."""
    if job.kind == "Training":
        image = str(job.request["AlgorithmSpecification"]["TrainingImage"])
    else:
        image = str(job.request["AppSpecification"]["ImageUri"])
    found = _ECR_IMAGE.match(image)
    if found is None:
        return
    account, region, repository = found.groups()
    arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
    for action, resource in [
        ("ecr:GetAuthorizationToken", "*"),
        *((name, arn) for name in _REPOSITORY_ACTIONS),
    ]:
        decision = decide(job.role_arn, "SageMaker", action, resource)
        if not decision.allowed:
            raise JobFailedError(f"ClientError: The image {image} cannot be pulled: {decision.message}")
