"""`sam build` and `sam deploy` of a template into a local cloud."""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.cloud import LocalCloud
from local.errors import DeployError

DEPLOY_BUCKET = "local-deployments"
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
    sources: Iterable[str] = ("functions", "layers", "statemachine", "training"),
    build_directory: Path | None = None,
) -> dict[str, str]:
    """Build the template when its sources changed, deploy it without questions, return the stack's outputs.

    Parameters
    ----------
    template
        The SAM template.
    parameters
        Parameter overrides by name.
    sources
        Folders beside the template whose content decides, with the template, whether to build again; those that
        do not exist count as empty.
    build_directory
        Where the build goes; `.aws-sam/build` beside the template when None, which `sam` itself uses too.

    Raises
    ------
    DeployError
        `sam` failed; the message ends with its last lines.
    """
    template = template.resolve()
    built = build(cloud, template, sources, build_directory or template.parent / ".aws-sam" / "build")
    _make_bucket(cloud)
    overrides = [f"{name}={value}" for name, value in (parameters or {}).items()]
    _sam(
        cloud,
        template.parent,
        ["deploy", "--template-file", str(built), "--stack-name", stack_name, "--s3-bucket", DEPLOY_BUCKET]
        + [
            "--s3-prefix",
            stack_name,
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--no-progressbar",
        ]
        + ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
        + (["--parameter-overrides", *overrides] if overrides else []),
    )
    return outputs(cloud, stack_name)


def build(cloud: LocalCloud, template: Path, sources: Iterable[str], build_directory: Path) -> Path:
    """Return the built template, after `sam build` unless the last build was of the same sources."""
    digest = source_digest(template, sources)
    stamp, built = build_directory / ".source-digest", build_directory / "template.yaml"
    if built.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return built
    shutil.rmtree(build_directory, ignore_errors=True)
    # Both directories are named, and no samconfig.toml is read: a developer's own settings do not matter here.
    where = ["--build-dir", str(build_directory), "--cache-dir", str(build_directory.parent / "cache")]
    _sam(
        cloud,
        template.parent,
        ["build", "--template-file", str(template), "--cached", "--parallel", "--build-in-source", *where],
    )
    stamp.write_text(digest, encoding="utf-8")
    return built


def outputs(cloud: LocalCloud, stack_name: str) -> dict[str, str]:
    """Return the outputs of a deployed stack."""
    stacks = cloud.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stacks[0].get("Outputs", [])}


def source_digest(template: Path, sources: Iterable[str]) -> str:
    """Return a digest over the template and every file in the source folders, names and contents."""
    digest = hashlib.sha256(template.read_bytes())
    files = sorted(path for name in sources for path in (template.parent / name).rglob("*") if path.is_file())
    for path in files:
        relative = path.relative_to(template.parent)
        if not set(relative.parts) & set(_NOT_SOURCES):
            digest.update(f"\0{relative.as_posix()}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _make_bucket(cloud: LocalCloud) -> None:
    """Make our own bucket for the archives: a second faster than the managed stack of --resolve-s3."""
    client = cloud.client("s3")
    if DEPLOY_BUCKET not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=DEPLOY_BUCKET)


def _sam(cloud: LocalCloud, directory: Path, arguments: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as no_settings:  # instead of a samconfig.toml
        no_settings.write("version = 0.1\n")
        no_settings.flush()
        done = subprocess.run(
            ["sam", arguments[0], "--config-file", no_settings.name, *arguments[1:]],
            cwd=directory,
            env=cloud.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-_ERROR_LINES:])
        raise DeployError(f"sam {arguments[0]} ended with code {done.returncode}:\n{said}")
