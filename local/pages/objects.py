"""The objects of all buckets as pages: a report as it is, text as text, a folder as a list."""

from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

from local.cloud import LocalCloud, link_to
from local.pages.layout import page

MAX_LISTED = 200
# What a stored page may do: show itself, run no script, and reach neither these pages nor anything else.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    **dict.fromkeys((".json", ".csv", ".txt", ".toml", ".md", ".jsonl"), "text/plain; charset=utf-8"),
}


def read_object(cloud: LocalCloud, uri: str) -> tuple[bytes, dict[str, str]] | str | None:
    """Return the content and headers of an object, the page of a folder, or None when there is neither."""
    parts = urlsplit(uri)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    s3 = cloud.client("s3")
    if parts.scheme != "s3" or not bucket:
        return None
    if key and not key.endswith("/"):
        try:
            content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
            return _folder_page(s3, bucket, f"{key}/")
        kind = _KINDS.get(PurePosixPath(key).suffix.lower(), "application/octet-stream")
        headers = {"content-type": kind, "content-security-policy": SANDBOX}
        if kind == "application/octet-stream":
            headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(PurePosixPath(key).name)}"
        return content, headers
    return _folder_page(s3, bucket, key)


def _folder_page(s3: Any, bucket: str, prefix: str) -> str | None:
    try:
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=MAX_LISTED)
    except s3.exceptions.NoSuchBucket:
        return None
    folders = [(entry["Prefix"], "") for entry in listed.get("CommonPrefixes", ())]
    files = [(entry["Key"], f"{entry['Size']:,} bytes") for entry in listed.get("Contents", ())]
    if not folders and not files:
        return None
    entries = [
        (link_to(f"s3://{bucket}/{key}"), key.removeprefix(prefix), size) for key, size in folders + files
    ]
    return page(
        "folder",
        f"s3://{bucket}/{prefix}",
        parents=_parents(bucket, prefix),
        entries=entries,
        is_cut=listed.get("IsTruncated", False),
        max_listed=MAX_LISTED,
    )


def _parents(bucket: str, prefix: str) -> list[tuple[str, str]]:
    """Return the folders above, from the bucket on, each with its link."""
    names = [name for name in prefix.split("/") if name]
    above = [(bucket, link_to(f"s3://{bucket}/"))]
    for depth, name in enumerate(names, 1):
        above.append((name, link_to(f"s3://{bucket}/{'/'.join(names[:depth])}/")))
    return above
