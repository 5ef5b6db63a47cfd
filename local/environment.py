"""The environment variables that point boto3, sam and the AWS command line at the local cloud."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from local.processes import DIRECTORY_MARK

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
ROOT_ACCESS_KEY = "test"
ROOT_SECRET_KEY = "test"
BIND_HOST = "127.0.0.1"
CLOUD_DIRECTORY = "LOCAL_CLOUD_DIRECTORY"  # in the emulator: where its files are

# Settings of a developer's own account that would win over, or mix with, the variables below.
_FOREIGN_PREFIXES = ("AWS_", "SAM_CLI_", "MINISTACK_", "LOCALSTACK_")
_FOREIGN_NAMES = ("PYTHONPATH", "PYTHONHOME")


def endpoint_url(port: int) -> str:
    """Return the address of a local cloud on `port`."""
    return f"http://{BIND_HOST}:{port}"


def variables(endpoint: str) -> dict[str, str]:
    """Return only the variables to set for a process that should talk to `endpoint`."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "SAM_CLI_TELEMETRY": "0",
    }


def without_foreign_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return `environ` without the settings of any other cloud or interpreter."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_FOREIGN_PREFIXES) and name not in _FOREIGN_NAMES
    }


def process_environment(endpoint: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a whole environment for a subprocess: this interpreter's `bin` first on PATH, one cloud only."""
    base = without_foreign_settings(os.environ if environ is None else environ)
    base["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), base.get("PATH", os.defpath)])
    return base | variables(endpoint)


def emulator_environment(port: int, directory: Path) -> dict[str, str]:
    """Return the environment of the emulator process itself, with all its files under `directory`."""
    return without_foreign_settings(os.environ) | {
        "AUTH": "true",
        "BIND_HOST": BIND_HOST,
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ROOT_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET_KEY,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A developer's Docker has nothing to do with this: MiniStack would tidy up containers there.
        "DOCKER_HOST": f"unix://{directory}/no-docker.sock",
        "LAMBDA_EXECUTOR": "local",
        # AWS's own limit; what runs at once is limited by local.limits, without refusing anything.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        "TMPDIR": str(directory / "tmp"),
        "S3_DATA_DIR": str(directory / "tmp" / "s3"),
        "STATE_DIR": str(directory / "tmp" / "state"),
        "PYTHONUNBUFFERED": "1",
        CLOUD_DIRECTORY: str(directory),
        DIRECTORY_MARK: str(directory),
    }
