"""`sam build` and `sam deploy` of a template into a local cloud."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.cloud import LocalCloud
from local.errors import DeployError

DEPLOY_BUCKET = "local-deployments"
BUILD_DIRECTORY = Path(".aws-sam") / "build"  # beside the template, which `sam` itself uses too
# What a build depends on, beside the template.
SOURCES = (
    *("functions", "layers", "src", "statemachine", "training"),
    *("pyproject.toml", "requirements.lock", "samconfig.toml"),
)
# Folders beside a template that never go into a deployment.
_NOT_SOURCES = (
    ".aws-sam",
    ".local",
    ".venv",
    ".git",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
)
_ERROR_LINES = 40


def deploy(
    cloud: LocalCloud,
    template: Path,
    stack_name: str,
    parameters: Mapping[str, str] | None = None,
    *,
    sources: Iterable[str] = SOURCES,
    build_directory: Path | None = None,
) -> dict[str, str]:
    """Build and deploy the template without questions, return the stack's outputs.

    Nothing is built if the sources are those of the last build, and nothing is deployed when they and the
    parameters are those of the last deployment into this cloud.

    Parameters
    ----------
    template
        The SAM template.
    parameters
        Parameter overrides by name.
    sources
        Files and folders beside the template whose content decides, with the template, whether to build
        again; those that do not exist count as empty.
    build_directory
        Where the build goes; `.aws-sam/build` beside the template when None, which `sam` itself uses too.

    Raises
    ------
    DeployError
        `sam` failed; the message ends with its last lines.
    """
    template = template.resolve()
    directory = build_directory or template.parent / BUILD_DIRECTORY
    _make_bucket(cloud)
    with exclusive_build(directory):
        digest = source_digest(template, sources)
        with _if_changed(cloud, stack_name, [digest, parameters or {}]) as is_changed:
            if is_changed:
                built = build(cloud.environment(), template, sources, directory)
                _deploy(cloud, built, stack_name, parameters or {})
    return outputs(cloud, stack_name)


def build(
    environment: Mapping[str, str], template: Path, sources: Iterable[str], build_directory: Path
) -> Path:
    """Return the built template, after `sam build` unless the last build was of the same sources.

    Call it inside of `exclusive_build`.
    """
    digest = source_digest(template, sources)
    stamp, built = build_directory / ".source-digest", build_directory / "template.yaml"
    if built.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return built
    shutil.rmtree(build_directory, ignore_errors=True)
    where = ["--template-file", str(template), "--build-dir", str(build_directory)]
    # not --cached: sam would look for changes in layers/ only, and build the layer of the library once
    _sam(environment, template.parent, ["build", "--parallel", "--build-in-source", *where])
    stamp.write_text(digest, encoding="utf-8")
    return built


def outputs(cloud: LocalCloud, stack_name: str) -> dict[str, str]:
    """Return the outputs of a deployed stack."""
    stacks = cloud.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stacks[0].get("Outputs", [])}


def source_digest(template: Path, sources: Iterable[str]) -> str:
    """Return a digest over the template and every source file, names and contents."""
    digest = hashlib.sha256(template.read_bytes())
    roots = [template.parent / name for name in sources]
    files = {path for root in roots for path in (root, *root.rglob("*")) if path.is_file()}
    for path in sorted(files):
        relative = path.relative_to(template.parent)
        if not set(relative.parts) & set(_NOT_SOURCES):
            digest.update(f"\0{relative.as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _deploy(cloud: LocalCloud, built: Path, stack_name: str, parameters: Mapping[str, str]) -> None:
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as settings:
        # `sam build` reads the project's samconfig.toml; where to deploy to is decided here and not there
        settings.write("version = 0.1\n")
        settings.flush()
        _sam(
            cloud.environment(),
            built.parent,
            ["deploy", "--config-file", settings.name, "--template-file", str(built)]
            + ["--stack-name", stack_name, "--s3-bucket", DEPLOY_BUCKET, "--s3-prefix", stack_name]
            + ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
            + ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
            + (["--parameter-overrides", *overrides] if overrides else []),
        )


@contextmanager
def _if_changed(cloud: LocalCloud, stack_name: str, inputs: list[object]) -> Iterator[bool]:
    """Yield whether the inputs differ from the last deployment; keep them when the block succeeds."""
    stamp = cloud.directory / "tmp" / f"deployed-{stack_name}.json"
    text = json.dumps(inputs, sort_keys=True)
    is_changed = not (stamp.exists() and stamp.read_text(encoding="utf-8") == text)
    if is_changed:
        stamp.unlink(missing_ok=True)
    yield is_changed
    stamp.write_text(text, encoding="utf-8")


@contextmanager
def exclusive_build(build_directory: Path) -> Iterator[None]:
    """Let one process of a checkout (the demo, the tests) build at a time."""
    build_directory.parent.mkdir(parents=True, exist_ok=True)
    with (build_directory.parent / ".local-deploy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_bucket(cloud: LocalCloud) -> None:
    """Make our own bucket for the archives: a second faster than the managed stack of --resolve-s3."""
    client = cloud.client("s3")
    if DEPLOY_BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=DEPLOY_BUCKET)


def _sam(environment: Mapping[str, str], directory: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        ["sam", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-_ERROR_LINES:])
        raise DeployError(f"sam {arguments[0]} ended with code {done.returncode}:\n{output}")
