"""S3 in and out of a job, with the credentials of its role."""

import gzip
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from local.environment import REGION
from local.sagemaker.errors import JobFailedError


def role_client(service: str, endpoint: str, credentials: dict[str, str]) -> Any:
    """Return a client that may do what the role may."""
    import boto3  # noqa: PLC0415 - the emulator starts faster without
    from botocore.config import Config  # noqa: PLC0415

    return boto3.session.Session().client(
        service,  # type: ignore[call-overload, unused-ignore]
        endpoint_url=endpoint,
        region_name=REGION,
        config=Config(retries={"max_attempts": 2, "mode": "standard"}),
        **credentials,
    )


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key`."""
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise JobFailedError(f"ClientError: {uri!r} is not an S3 URI: write s3://bucket/prefix.")
    return parts.netloc, parts.path.lstrip("/")


def download(client: Any, source: dict[str, Any], target: Path, *, gunzip: bool = False) -> None:
    """Copy the objects of an S3 data source into `target`.

    Parameters
    ----------
    source
        `S3Uri` and `S3DataType`: S3Prefix (every key that starts with it) or ManifestFile.
    gunzip
        Whether the objects are compressed one by one and arrive uncompressed.
    """
    target.mkdir(parents=True, exist_ok=True)
    bucket, prefix = split_uri(source["S3Uri"])
    try:
        if source.get("S3DataType") == "ManifestFile":
            objects = list(_manifest_entries(client, bucket, prefix))
        else:
            objects = [(bucket, key, relative_name(key, prefix)) for key in _keys(client, bucket, prefix)]
        if not objects:
            raise JobFailedError(
                f"ClientError: Data download failed: No S3 objects found under {source['S3Uri']!r}."
            )
        for source_bucket, key, name in objects:
            _download_object(client, source_bucket, key, target / name, gunzip=gunzip)
    except ClientError as error:
        raise JobFailedError(f"ClientError: Data download failed: {error} ({source['S3Uri']})") from error


def has_objects(client: Any, uri: str) -> bool:
    """Tell whether any object has the prefix."""
    bucket, prefix = split_uri(uri)
    try:
        return any(True for _ in _keys(client, bucket, prefix))
    except ClientError as error:
        raise JobFailedError(f"ClientError: Checkpoints cannot be read: {error} ({uri})") from error


def relative_name(key: str, prefix: str) -> str:
    """Return where a key lands below its channel: what follows the prefix, or the file name alone."""
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if prefix == "" or prefix.endswith("/"):
        return key.removeprefix(prefix)
    if key.startswith(prefix + "/"):
        return key.removeprefix(prefix + "/")
    return key.removeprefix(prefix.rpartition("/")[0]).lstrip("/")


def upload_archive(client: Any, directory: Path, uri: str, key_id: str | None) -> None:
    """Pack everything in `directory` into a tar.gz at `uri`, names relative to it."""
    archive = directory.parent / f"{directory.name}.upload.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for path in sorted(directory.iterdir()):
            packed.add(path, arcname=path.name)
    try:
        _upload(client, archive, uri, key_id)
    finally:
        archive.unlink()


def upload_directory(client: Any, directory: Path, uri: str, key_id: str | None) -> None:
    """Copy every file below `directory` to the prefix `uri`."""
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        _upload(client, path, f"{uri.rstrip('/')}/{path.relative_to(directory).as_posix()}", key_id)


def _upload(client: Any, path: Path, uri: str, key_id: str | None) -> None:
    bucket, key = split_uri(uri)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_id} if key_id else {}
    try:
        with path.open("rb") as body:
            client.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
    except ClientError as error:
        raise JobFailedError(f"ClientError: Artifact upload failed: {error} ({uri})") from error


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (entry["Key"] for entry in page.get("Contents", []) if not entry["Key"].endswith("/"))


def _manifest_entries(client: Any, bucket: str, key: str) -> Iterator[tuple[str, str, str]]:
    """Yield what a manifest names: a first element with the prefix, then names below it."""
    manifest = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    source_bucket, prefix = split_uri(manifest[0]["prefix"])
    for name in manifest[1:]:
        yield source_bucket, prefix + name, name


def _download_object(client: Any, bucket: str, key: str, target: Path, *, gunzip: bool) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    body = client.get_object(Bucket=bucket, Key=key)["Body"]
    with target.open("wb") as file:
        shutil.copyfileobj(gzip.GzipFile(fileobj=body) if gunzip else body, file)
