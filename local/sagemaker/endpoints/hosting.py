"""Models, configurations and endpoints of this process, and the life of an endpoint."""

import contextvars
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.authorization import session_credentials
from local.environment import CLOUD_DIRECTORY, endpoint_url
from local.sagemaker.endpoints import server
from local.sagemaker.errors import JobFailedError, validation_error
from local.sagemaker.jobs.container import check_image, container_environment
from local.sagemaker.jobs.logs import LogStream
from local.sagemaker.jobs.storage import role_client, split_uri

logger = logging.getLogger("local.sagemaker")
_CONTAINER_BASE = "/opt/ml"
_LAST_LINES = 5


@dataclass(slots=True)
class Stored:
    """A model or a configuration, as it was requested."""

    arn: str
    request: dict[str, Any]
    created_at: datetime


@dataclass(slots=True)
class Server:
    """The process that serves a model, and the port on which it listens."""

    process: subprocess.Popen[str]
    port: int
    directory: Path

    def stop(self) -> None:
        """End the process and remove its files."""
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


@dataclass(slots=True)
class Endpoint:
    """An endpoint, changed by its own thread."""

    name: str
    arn: str
    configuration: str
    created_at: datetime
    modified_at: datetime
    status: str = "Creating"
    failure_reason: str | None = None
    server: Server | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)


models: dict[str, Stored] = {}
configurations: dict[str, Stored] = {}
endpoints: dict[str, Endpoint] = {}


def find[T](kind: str, names: dict[str, T], name: str) -> T:
    """Return what has this name."""
    stored = names.get(name)
    if stored is None:
        raise validation_error(f'Could not find {kind} "{name}".')
    return stored


def move(endpoint: Endpoint, configuration: str) -> None:
    """Serve a configuration from a new process; the one that serves now ends when the new one is ready."""
    endpoint.modified_at = datetime.now(UTC)
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run,
        args=(_move, endpoint, configuration),
        daemon=True,
        name=f"endpoint-{endpoint.name}",
    )
    thread.start()


def remove(endpoint: Endpoint) -> None:
    """Forget an endpoint and end its process."""
    with endpoint.lock:
        endpoints.pop(endpoint.name, None)
        endpoint.status = "Deleting"
        if endpoint.server is not None:
            endpoint.server.stop()


def forget_all() -> None:
    """Remove everything, with all processes."""
    for endpoint in list(endpoints.values()):
        remove(endpoint)
    models.clear()
    configurations.clear()


def _move(endpoint: Endpoint, configuration: str) -> None:
    was_created = endpoint.status == "Creating"
    try:
        started = _start(endpoint.name, configuration)
    except Exception as error:
        if not isinstance(error, JobFailedError):
            logger.exception("The endpoint %s failed by an error of the local cloud.", endpoint.name)
        with endpoint.lock:
            endpoint.failure_reason = str(error)
            endpoint.status = "Failed" if was_created else "InService"
        return
    with endpoint.lock:
        before, endpoint.server = endpoint.server, started
        endpoint.configuration, endpoint.failure_reason = configuration, None
        is_removed, endpoint.status = endpoint.status == "Deleting", "InService"
    for unused in (before, started if is_removed else None):
        if unused is not None:
            unused.stop()


def _start(endpoint_name: str, configuration: str) -> Server:
    variant = find("endpoint configuration", configurations, configuration).request["ProductionVariants"][0]
    model = find("model", models, variant["ModelName"]).request
    role, container = str(model["ExecutionRoleArn"]), model["PrimaryContainer"]
    check_image(str(container["Image"]), role)
    credentials = session_credentials(role, "SageMaker")
    address = endpoint_url(int(os.environ["GATEWAY_PORT"]))
    directory = Path(os.environ[CLOUD_DIRECTORY]) / "tmp" / "endpoints" / f"{endpoint_name}-{configuration}"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "model").mkdir(parents=True)
    _download(role_client("s3", address, credentials), str(container["ModelDataUrl"]), directory)
    log = LogStream(
        role_client("logs", address, credentials),
        f"/aws/sagemaker/Endpoints/{endpoint_name}",
        f"{variant['VariantName']}/{configuration}",
    )
    environment = _environment(directory, container.get("Environment") or {}, address, credentials)
    process = subprocess.Popen(
        [sys.executable, server.__file__],
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = _logged(process, log)
    port = _port(lines, process)
    threading.Thread(target=list, args=(lines,), daemon=True).start()
    return Server(process, port, directory)


def _download(client: Any, uri: str, directory: Path) -> None:
    bucket, key = split_uri(uri)
    archive = directory / "model.tar.gz"
    try:
        archive.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        raise JobFailedError(f"Failed to download model data for container from {uri}: {error}") from error
    with tarfile.open(archive) as packed:
        packed.extractall(directory / "model", filter="data")


def _environment(
    directory: Path, requested: dict[str, str], address: str, credentials: dict[str, str]
) -> dict[str, str]:
    """Return the whole environment of the process, with paths of the container in its own directory."""
    (directory / "tmp").mkdir()
    local = {name: value.replace(_CONTAINER_BASE, str(directory)) for name, value in requested.items()}
    return {
        **container_environment(directory),
        "SAGEMAKER_BASE_DIR": str(directory),
        "AWS_ENDPOINT_URL": address,
        **{name.upper(): value for name, value in credentials.items()},
        **local,
    }


def _logged(process: subprocess.Popen[str], log: LogStream) -> Iterator[str]:
    """Yield the lines of a process, which become those of its log."""
    assert process.stdout is not None
    with suppress(ValueError), process.stdout:
        for line in process.stdout:
            log.write(line.rstrip("\n"))
            log.flush()
            yield line.rstrip("\n")


def _port(lines: Iterator[str], process: subprocess.Popen[str]) -> int:
    last: list[str] = []
    for line in lines:
        if line.startswith(server.READY):
            return int(line.removeprefix(server.READY))
        last = [*last, line][-_LAST_LINES:]
    process.wait()
    raise JobFailedError(f"The primary container did not pass the ping health check: {' '.join(last)}")
