"""First pass over the bytes: digest, container, compression, encoding, line endings, NULs.

Nothing here looks at the table; what is found decides how the second pass reads it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import numpy as np

from mlops.dataset.form.containers import GZIP_MARK, identify
from mlops.dataset.form.encodings import (
    EncodingCheck,
    as_utf8,
    encoding_of,
    first_undecodable_line,
    is_ascii_compatible,
    with_newlines,
)
from mlops.dataset.limits import MIB, Limits

BLOCK_BYTES = 1024 * 1024  # of the first block, which is looked at as text
# later blocks are larger, so that fewer are looked at; four times as large ones leave the second-level cache
_GROWTH = 2
_NEWLINE = ord("\n")
_GZIP_DAMAGE = "the gzip data is truncated or corrupt"


class Readable(Protocol):
    """A stream of bytes, expanded where it is compressed."""

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the bytes of a file say about how to read it.

    `container` names what the file is when it is not a table; `damage` says why a compressed file cannot be
    read to its end; `excess` why it is too large. With any of the three the rest may be incomplete.
    `likely_encodings` are those that the text may be in, the likeliest first, when it is not UTF-8.
    """

    size_bytes: int
    sha256: str
    expanded_bytes: int
    compression: str | None
    container: str | None
    damage: str | None
    excess: str | None
    encoding: str
    has_bom: bool
    encoding_problem: str | None
    encoding_line: int | None
    nul_lines: tuple[int, ...]
    n_nuls: int
    line_ending: str
    likely_encodings: tuple[str, ...] = ()

    @property
    def is_readable(self) -> bool:
        """Whether a second pass makes sense."""
        fatal = self.container or self.damage or self.excess or self.encoding_problem
        return not fatal and self.n_nuls == 0 and self.expanded_bytes > 0


class _Tally:
    """Counts over the expanded bytes, block by block."""

    def __init__(self, encoding: EncodingCheck) -> None:
        self.encoding = encoding
        self.n_bytes = 0
        self.n_newlines = 0
        self.n_returns = 0
        self.n_pairs = 0
        self.n_nuls = 0
        self.nul_lines: list[int] = []
        self._last = b""

    def add(self, block: bytes) -> None:
        self.n_bytes += len(block)
        text = self.encoding.add(block, self.n_newlines)
        if b"\0" in text:
            self._note_nuls(text)
        self.n_newlines += int(np.count_nonzero(np.frombuffer(text, np.uint8) == _NEWLINE))
        if b"\r" in text or self._last == b"\r":
            self.n_returns += text.count(b"\r")
            self.n_pairs += text.count(b"\r\n") + (self._last == b"\r" and text.startswith(b"\n"))
        self._last = text[-1:]

    def _note_nuls(self, text: bytes) -> None:
        self.n_nuls += text.count(b"\0")
        for offset, line in enumerate(text.split(b"\n")):
            if len(self.nul_lines) >= 20:
                break
            if b"\0" in line:
                self.nul_lines.append(self.n_newlines + offset + 1)

    @property
    def line_ending(self) -> str:
        """`lf`, `crlf`, `cr` or `mixed`; carriage returns that all have a newline do not make it mixed."""
        if self.n_returns > self.n_pairs:
            return "mixed" if self.n_newlines else "cr"
        return "crlf" if self.n_pairs and self.n_pairs * 2 > self.n_newlines else "lf"


def inspect(path: Path, limits: Limits, *, encoding: str | None = None) -> Inspection:
    """Read the file in bounded memory and say what its bytes are; a stated `encoding` is not guessed.

    It is read once, and once more when its text is not UTF-8.
    """
    head, compression, damage = _look(path)
    announced, has_bom = encoding_of(head)
    check = EncodingCheck(announced, has_bom=has_bom, stated=encoding)
    container = identify(head) if is_ascii_compatible(check.encoding) else None
    tally, too_much = _Tally(check), None
    with path.open("rb") as file:
        raw = _Digesting(file)
        if container is None and damage is None:
            damage, too_much = _walk(raw, compression, path.stat().st_size, limits, tally.add)
        raw.drain()
    check.close(tally.n_newlines, is_whole=not (damage or too_much or container))
    if check.encoding not in (announced, encoding) and check.problem is None:
        _confirm(path, compression, check)
    return Inspection(
        size_bytes=path.stat().st_size,
        sha256=raw.hexdigest(),
        expanded_bytes=tally.n_bytes,
        compression=compression,
        container=container,
        damage=damage,
        excess=too_much,
        encoding=check.encoding,
        has_bom=has_bom,
        encoding_problem=check.problem,
        encoding_line=check.line,
        nul_lines=tuple(tally.nul_lines),
        n_nuls=tally.n_nuls,
        line_ending=tally.line_ending,
        likely_encodings=check.likely,
    )


def open_blocks(path: Path, inspection: Inspection) -> Iterator[bytes]:
    """Yield the file's text as UTF-8 blocks with uniform line ends, without a byte order mark."""
    raw = _expanded(path, inspection.compression)
    yield from with_newlines(as_utf8(raw, inspection.encoding), inspection.line_ending)


def _expanded(path: Path, compression: str | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from read_blocks(gzip.GzipFile(fileobj=file) if compression else file)


def read_blocks(stream: Readable, start_byte: int = 0) -> Iterator[bytes]:
    """Yield the bytes from `start_byte` on, in blocks that end where those of the whole stream do."""
    later_bytes = _GROWTH * BLOCK_BYTES
    yield stream.read(later_bytes - (start_byte - BLOCK_BYTES) % later_bytes)
    yield from iter(lambda: stream.read(later_bytes), b"")


def _confirm(path: Path, compression: str | None, check: EncodingCheck) -> None:
    """Take the likeliest encoding that has all bytes of the file; the sample showed a part of them."""
    fitting = [
        encoding
        for encoding in check.likely
        if first_undecodable_line(_expanded(path, compression), encoding) is None
    ]
    check.likely = tuple(fitting)
    if check.encoding not in fitting:
        check.problem = "unsure" if fitting else "mixed"


class _Digesting:
    """A file that is hashed while it is read."""

    def __init__(self, file: Readable) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._digest.update(block)
        return block

    def drain(self) -> None:
        while self.read(BLOCK_BYTES):
            pass

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _look(path: Path) -> tuple[bytes, str | None, str | None]:
    """Return the first expanded bytes, the compression, and why they cannot be expanded."""
    with path.open("rb") as file:
        head = file.read(8192)
        if not head.startswith(GZIP_MARK):
            return head, None, None
        file.seek(0)
        try:
            return gzip.GzipFile(fileobj=file).read1(8192), "gzip", None
        except (OSError, EOFError, zlib.error):
            return b"", "gzip", _GZIP_DAMAGE


def _walk(
    raw: _Digesting,
    compression: str | None,
    size_bytes: int,
    limits: Limits,
    take: Callable[[bytes], None],
) -> tuple[str | None, str | None]:
    """Hand every expanded block to `take`; return what is wrong with the container or the size."""
    stream = gzip.GzipFile(fileobj=cast("BinaryIO", raw)) if compression else raw
    n_bytes = 0
    try:
        while block := stream.read(BLOCK_BYTES):
            n_bytes += len(block)
            if reason := excess(n_bytes, size_bytes, limits, is_compressed=compression is not None):
                return None, reason
            take(block)
    except (OSError, EOFError, zlib.error):
        return _GZIP_DAMAGE, None
    return None, None


def excess(n_bytes: int, size_bytes: int, limits: Limits, *, is_compressed: bool) -> str | None:
    """Say why `n_bytes` of content in a file of `size_bytes` are too much, None when they are not."""
    if n_bytes > limits.max_expanded_bytes:
        return f"it is larger than the limit of {limits.max_expanded_bytes // MIB:,} MiB"
    if is_compressed and n_bytes > limits.bomb_bytes and n_bytes > limits.bomb_ratio * size_bytes:
        return f"its compressed content would expand to more than {limits.bomb_ratio:.0f} times its size"
    return None


def read_head(path: Path, inspection: Inspection, size_bytes: int = 512 * 1024) -> bytes:
    """Return the beginning of the text, as UTF-8, cut after a newline when it has one."""
    blocks, head = open_blocks(path, inspection), b""
    for block in blocks:
        head += block
        if len(head) >= size_bytes:
            return head[: head.rfind(b"\n") + 1] or head
    return head


def without_start(blocks: Iterator[bytes], n_bytes: int) -> Iterator[bytes]:
    """Yield the text after its first bytes."""
    left = n_bytes
    for block in blocks:
        if left < len(block):
            yield block[left:]
            break
        left -= len(block)
    yield from blocks


def header_of(path: Path, inspection: Inspection, skipped_bytes: int) -> bytes:
    """Return the bytes of the header line: the last one of those before the rows."""
    head = read_head(path, inspection)[:skipped_bytes]
    return head.rstrip(b"\r\n").rsplit(b"\n", 1)[-1]
