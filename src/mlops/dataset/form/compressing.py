"""Writes gzip: the same content gives the same bytes."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import BinaryIO

_BEST = 9
_BLOCK_BYTES = 1024 * 1024


def reproducible_gzip(file: BinaryIO, level: int = _BEST) -> gzip.GzipFile:
    """Return a stream that compresses into a file, without the name and the time that gzip would store."""
    return gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=file, mtime=0)


def compress_file(source: Path, target: Path, level: int = _BEST) -> None:
    """Write a file compressed, in blocks whose size does not depend on how it was written."""
    with source.open("rb") as content, target.open("wb") as file, reproducible_gzip(file, level) as stream:
        shutil.copyfileobj(content, stream, _BLOCK_BYTES)
