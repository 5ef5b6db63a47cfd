"""The parts of a table as one text: the first one whole, the others without their header."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from mlops.dataset.form.encodings import is_utf8
from mlops.dataset.form.inspection import BLOCK_BYTES, Inspection, open_blocks, without_start
from mlops.models.settings.format import FileFormatSettings


def text_of_part(path: Path, inspection: Inspection, skipped_bytes: int) -> Iterator[bytes]:
    """Yield the text of a part as UTF-8 after its first bytes; the last record ends in a newline."""
    last = b""
    for block in without_start(open_blocks(path, inspection), skipped_bytes):
        yield block
        last = block or last
    if last and not last.endswith(b"\n"):
        yield b"\n"


def joined_mark(form: FileFormatSettings) -> bytes:
    """Return what the joined file begins with: it is UTF-8, whatever is stated for the parts."""
    return b"" if form.encoding is None or is_utf8(form.encoding) else BOM_UTF8


def write_joined(texts: Iterable[bytes], path: Path, *, mark: bytes = b"") -> tuple[str, int]:
    """Write the text after a byte order mark to a file; return its SHA-256 and its size in bytes."""
    digest, n_bytes = hashlib.sha256(), 0
    with path.open("wb") as file:
        for text in chain([mark], texts):
            file.write(text)
            digest.update(text)
            n_bytes += len(text)
    return digest.hexdigest(), n_bytes


def beginning(texts: Iterable[bytes], size_bytes: int = BLOCK_BYTES) -> bytes:
    """Return the first bytes of the text, cut after a newline when something was left out."""
    head = b""
    for text in texts:
        head += text
        if len(head) > size_bytes:
            cut = head[:size_bytes]
            return cut[: cut.rfind(b"\n") + 1] or cut
    return head
