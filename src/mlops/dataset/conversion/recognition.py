"""Which files are converted before they are read, recognised by their names and their first bytes.

A file whose name is that of text is never converted: another content under such a name is a mistake.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Literal

from mlops.dataset.form.containers import GZIP_MARK, identify
from mlops.dataset.form.encodings import encoding_of

type SourceFormat = Literal["parquet", "json", "excel", "zip", "zstd", "gzip"]

HEAD_BYTES = 8192
_TEXT_NAMES = (".csv", ".tsv", ".tab", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
_ENDINGS: dict[SourceFormat, str] = {
    "parquet": ".parquet",
    "json": ".json",
    "excel": ".xlsx",
    "zip": ".xlsx or .zip",
    "zstd": ".zst",
}
# by the names that `identify` gives; an old workbook is opened to say whether it only has a password
_FORMATS: dict[str, SourceFormat] = {
    "a Parquet file": "parquet",
    "an encrypted Parquet file": "parquet",
    "a JSON document": "json",
    "an old Excel workbook (xls, binary)": "excel",
    "an Excel workbook (xlsx, a binary zip archive)": "zip",
    "an OpenDocument file (a binary zip archive)": "zip",
    "a zip archive (binary)": "zip",
    "a zstandard-compressed file": "zstd",
}


def ending_of(container: str) -> str | None:
    """Return the ending of the names under which what `identify` names is converted; None for others."""
    source_format = _FORMATS.get(container)
    return None if source_format is None else _ENDINGS[source_format]


def format_of(name: str, head: bytes) -> SourceFormat | None:
    """Return what a file must be converted from; None for one that is read as it is, or refused.

    Parameters
    ----------
    name
        The name of the file.
    head
        The first bytes: `HEAD_BYTES`, or the whole of a smaller file.
    """
    lower = name.lower()
    if lower.endswith(_TEXT_NAMES):
        return None
    if lower.endswith(_JSON_NAMES) and head.lstrip()[:1] in (b"{", b"["):
        return "json"
    if head.startswith(GZIP_MARK):
        # plain and compressed CSV are read without conversion
        return "gzip" if _format_of_plain(_expanded(head)) else None
    return _format_of_plain(head)


def format_of_file(path: Path) -> SourceFormat | None:
    """Return `format_of` the first bytes of a file."""
    with path.open("rb") as file:
        return format_of(path.name, file.read(HEAD_BYTES))


def local_name(name: str) -> str:
    """Return a name for a local copy: of a name that a person has chosen, only a known ending is kept."""
    suffix = Path(name).suffix.lower()
    return f"upload{suffix}" if suffix in _JSON_NAMES else "upload"


def _format_of_plain(head: bytes) -> SourceFormat | None:
    encoding, _ = encoding_of(head)
    if encoding.startswith(("utf-16", "utf-32")):
        head = head.decode(encoding, "ignore").lstrip("\ufeff").encode("utf-8", "ignore")
    return _FORMATS.get(identify(head) or "")


def _expanded(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""
