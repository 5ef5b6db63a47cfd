"""The inside of a container as SageMaker lays it out, in a private directory instead of /opt/ml.

A script finds it through SAGEMAKER_BASE_DIR; paths under /opt/ml in the entry point, its arguments, the
environment and the hyperparameters are rewritten.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.authorization import decide
from local.environment import REGION
from local.processes import DIRECTORY_MARK, EMULATOR_MARK
from local.sagemaker.errors import JobFailedError
from local.sagemaker.jobs import script_mode
from local.sagemaker.jobs.job import Job

_CONTAINER_BASE = re.compile(r"/opt/ml(?![\w.-])")
_ECR_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
_REPOSITORY_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")


def base_directory(job: Job) -> Path:
    """Return the directory that replaces /opt/ml."""
    return job.directory / "ml"


def local_path(job: Job, text: str) -> str:
    """Return `text` with each path under /opt/ml pointing into the job's own directory."""
    return _CONTAINER_BASE.sub(str(base_directory(job)), text)


def check_image_access(job: Job) -> None:
    """Fail the job when its role could not pull its image from ECR."""
    if job.kind == "Training":
        image = str(job.request["AlgorithmSpecification"]["TrainingImage"])
    else:
        image = str(job.request["AppSpecification"]["ImageUri"])
    check_image(image, job.role_arn)


def check_image(image: str, role_arn: str) -> None:
    """Fail when a role could not pull an image from ECR; no image is pulled here."""
    match = _ECR_IMAGE.match(image)
    if match is None:
        return
    account, region, repository = match.groups()
    arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
    for action, resource in [
        ("ecr:GetAuthorizationToken", "*"),
        *((name, arn) for name in _REPOSITORY_ACTIONS),
    ]:
        decision = decide(role_arn, "SageMaker", action, resource)
        if not decision.allowed:
            raise JobFailedError(f"ClientError: The image {image} cannot be pulled: {decision.message}")


def prepare_directories(job: Job) -> None:
    """Create the directories and configuration files that a container finds at its start."""
    base = base_directory(job)
    if job.kind == "Training":
        for part in ("input/config", "input/data", "model", "output/data", "checkpoints", "code"):
            (base / part).mkdir(parents=True, exist_ok=True)
        _write_training_configuration(job, base / "input" / "config")
    else:
        for part in ("config", "processing", "output"):
            (base / part).mkdir(parents=True, exist_ok=True)
        _write_json(base / "config" / "processingjobconfig.json", job.request)
        _write_json(base / "config" / "resourceconfig.json", _resources(job))
        for output in job.request.get("ProcessingOutputConfig", {}).get("Outputs", []):
            Path(local_path(job, output["S3Output"]["LocalPath"])).mkdir(parents=True, exist_ok=True)
    (job.directory / "tmp").mkdir(exist_ok=True)


def command(job: Job) -> list[str]:
    """Return entry point and arguments with local paths."""
    specification = job.request["AlgorithmSpecification" if job.kind == "Training" else "AppSpecification"]
    if "ContainerEntrypoint" in specification:
        words = [*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", [])]
    else:
        words = script_mode.command(job.request["HyperParameters"])
    return [local_path(job, word) for word in words]


def container_environment(directory: Path) -> dict[str, str]:
    """Return what a process of a container needs, with its home in a directory.

    Of the environment of the emulator it has only the mark of its processes.
    """
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(directory),
        "TMPDIR": str(directory / "tmp"),
        "LANG": "C.UTF-8",
        # several share the machine: trainings use one core, and threads would wait for each other
        "LOKY_MAX_CPU_COUNT": "1",
        "OMP_NUM_THREADS": "1",
        DIRECTORY_MARK: os.environ[DIRECTORY_MARK],
        EMULATOR_MARK: str(os.getpid()),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def environment(job: Job, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of the process of a job.

    In network isolation the process learns neither the address of the cloud nor the credentials of its role.
    `pip install` inside a job goes to a directory of the job, which is first on its import path.
    """
    packages = job.directory / "site-packages"
    packages.mkdir(exist_ok=True)
    platform = container_environment(job.directory) | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(packages),
        "PIP_TARGET": str(packages),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "SAGEMAKER_BASE_DIR": str(base_directory(job)),
        f"{job.kind.upper()}_JOB_NAME": job.name,
        f"{job.kind.upper()}_JOB_ARN": job.arn,
        **({} if job.is_isolated else _access(credentials)),
    }
    requested = (job.request.get("Environment") or {}).items()
    variables = {name: local_path(job, value) for name, value in requested}
    return platform | _script_mode(job) | variables


def _access(credentials: Mapping[str, str]) -> dict[str, str]:
    """Return the address of the cloud and the credentials of the role."""
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    return {"AWS_ENDPOINT_URL": endpoint, **{name.upper(): value for name, value in credentials.items()}}


def _script_mode(job: Job) -> dict[str, str]:
    """Return the variables of a program that is started by script mode."""
    if job.kind != "Training" or "ContainerEntrypoint" in job.request["AlgorithmSpecification"]:
        return {}
    hyperparameters = {n: local_path(job, value) for n, value in job.request["HyperParameters"].items()}
    channels = [channel["ChannelName"] for channel in job.request.get("InputDataConfig") or []]
    return script_mode.variables(hyperparameters, base_directory(job), channels)


def _write_training_configuration(job: Job, directory: Path) -> None:
    hyperparameters = job.request.get("HyperParameters") or {}
    _write_json(
        directory / "hyperparameters.json",
        {name: local_path(job, value) for name, value in hyperparameters.items()},
    )
    channels = {
        channel["ChannelName"]: {
            "ContentType": channel.get("ContentType"),
            "TrainingInputMode": channel.get("InputMode", "File"),
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        for channel in job.request.get("InputDataConfig") or []
    }
    _write_json(directory / "inputdataconfig.json", channels)
    _write_json(directory / "resourceconfig.json", _resources(job))


def _resources(job: Job) -> dict[str, Any]:
    resources = job.request.get("ResourceConfig") or job.request["ProcessingResources"]["ClusterConfig"]
    return {
        "current_host": "algo-1",
        "current_instance_type": resources.get("InstanceType"),
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": resources.get("InstanceType"),
                "hosts": ["algo-1"],
            }
        ],
        "network_interface_name": "lo",
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, default=str), encoding="utf-8")
