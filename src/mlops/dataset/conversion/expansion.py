"""Compressed files, expanded to a file within the limits; nothing is written beyond them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from mlops.dataset.conversion.refusal import damaged, refused, too_large
from mlops.dataset.form.inspection import BLOCK_BYTES, Readable, excess
from mlops.dataset.limits import Limits
from mlops.infrastructure.extras import missing_package_message
from mlops.models.errors import MissingPackageError

# memory that a stream may ask for, as a power of two: what the command `zstd` accepts
_MAX_WINDOW_LOG = 27


def expand_gzip(source: Path, target: Path, limits: Limits) -> None:
    """Expand a gzip file.

    Raises
    ------
    RefusalError
        If it is damaged or expands to more than the limits allow.
    """
    with gzip.open(source) as stream:
        write_expanded(stream, target, source.stat().st_size, limits, (OSError, EOFError, zlib.error))


def expand_zstd(source: Path, target: Path, limits: Limits) -> None:
    """Expand a zstandard file, as `expand_gzip` does with its format.

    Raises
    ------
    RefusalError
        If it is damaged, expands to more than the limits allow, or needs too much memory for that.
    MissingPackageError
        If the extra `formats` is not installed.
    """
    try:
        # only for files of this format
        from backports.zstd import DecompressionParameter, ZstdError, ZstdFile
    except ImportError as error:
        raise MissingPackageError(missing_package_message("backports")) from error
    options = {int(DecompressionParameter.window_log_max): _MAX_WINDOW_LOG}
    with ZstdFile(source, options=options) as stream:
        try:
            write_expanded(stream, target, source.stat().st_size, limits, (EOFError,))
        except ZstdError as error:
            if "memory" in str(error):
                advice = f"Compress it again with --long={_MAX_WINDOW_LOG} or less."
                message = "The file needs more memory to expand than is allowed."
                raise refused("too_large", message, advice=advice) from error
            raise damaged("the zstandard data is truncated or corrupt") from error


def write_expanded(
    stream: Readable, target: Path, size_bytes: int, limits: Limits, faults: tuple[type[Exception], ...]
) -> None:
    """Write the bytes of a stream to a file.

    Parameters
    ----------
    size_bytes
        Size of the compressed file.
    faults
        What the stream raises when its bytes are damaged.

    Raises
    ------
    RefusalError
        If the stream is damaged or is longer than the limits allow.
    """
    with target.open("wb") as file:
        for block in within_limits(stream, size_bytes, limits, faults):
            file.write(block)


def within_limits(
    stream: Readable, size_bytes: int, limits: Limits, faults: tuple[type[Exception], ...]
) -> Iterator[bytes]:
    """Yield the blocks of a stream; takes and raises what `write_expanded` does."""
    n_bytes = 0
    try:
        while block := stream.read(BLOCK_BYTES):
            n_bytes += len(block)
            refuse_excess(n_bytes, size_bytes, limits)
            yield block
    except faults as error:
        raise damaged("the compressed data is truncated or corrupt") from error


def refuse_excess(n_bytes: int, size_bytes: int, limits: Limits) -> None:
    """Refuse a file of `size_bytes` whose content expands to `n_bytes`, when that is too much.

    Raises
    ------
    RefusalError
        If it is more than the limits allow.
    """
    if reason := excess(n_bytes, size_bytes, limits, is_compressed=True):
        raise too_large(reason)
