"""Which encoding a file is in, and its bytes as UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

# UTF-32 first: its little-endian mark begins with that of UTF-16
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNDEFINED_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"


def encoding_of(head: bytes) -> tuple[str, bool]:
    """Return the encoding that the first bytes announce, and whether a byte order mark does so."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding, True
    return _unmarked(head[:4096]), False


def _unmarked(head: bytes) -> str:
    """Recognise UTF-16 without a mark: mostly Latin text has a NUL in every other byte."""
    half = len(head) // 2
    if half >= 8:
        if head[1::2].count(0) > 0.6 * half and head[0::2].count(0) < 0.1 * half:
            return "utf-16-le"
        if head[0::2].count(0) > 0.6 * half and head[1::2].count(0) < 0.1 * half:
            return "utf-16-be"
    return "utf-8"


class EncodingCheck:
    """Follows the bytes of a file and says in the end which encoding they are in.

    Bytes that are not UTF-8 are taken as Windows-1252 (or Latin-1 when they use codes that Windows-1252
    leaves open), unless the file also holds true UTF-8 characters: then it mixes both and is refused.
    """

    def __init__(self, announced: str, *, has_bom: bool) -> None:
        self.encoding = announced
        self.problem: str | None = None
        self.line: int | None = None
        self._decoder = codecs.getincrementaldecoder(announced)()
        self._has_pending = False
        self._is_invalid = False
        self._has_multibyte = False
        self._is_latin1 = False
        self._skip_mark = has_bom

    def add(self, block: bytes, n_newlines_before: int) -> bytes:
        """Take the next bytes; return them as UTF-8 (unchanged when they are not of a wide encoding)."""
        if self.encoding == "utf-8":
            if not block.isascii() or self._has_pending:
                self._check_utf8(block, n_newlines_before)
            return block
        return self._decode_wide(block, n_newlines_before)

    def close(self, n_newlines: int, *, is_whole: bool) -> None:
        """Decide. `is_whole` says whether all bytes were seen."""
        if not is_whole:
            return
        if self._is_invalid:
            self._settle_single_byte()
        elif self.problem is None and self._decoder.getstate()[0]:
            self.line = n_newlines + 1
            self.problem = "truncated"

    def _check_utf8(self, block: bytes, n_newlines_before: int) -> None:
        self._is_latin1 |= any(byte in block for byte in _UNDEFINED_IN_CP1252)
        if self._is_invalid:
            self._has_multibyte |= not block.decode("utf-8", "ignore").isascii()
            return
        try:
            text = self._decoder.decode(block)
            self._has_multibyte |= not text.removeprefix("\ufeff").isascii()
            self._has_pending = bool(self._decoder.getstate()[0])
        except UnicodeDecodeError as error:
            self._is_invalid = True
            self.line = n_newlines_before + error.object[: error.start].count(b"\n") + 1
            valid = bytes(error.object).decode("utf-8", "ignore").removeprefix("\ufeff")
            self._has_multibyte |= not valid.isascii()

    def _decode_wide(self, block: bytes, n_newlines_before: int) -> bytes:
        if self.problem:
            return b""
        try:
            return self._decoder.decode(block).encode()
        except UnicodeError:
            self.problem = "damaged"
            self.line = n_newlines_before + 1
            return b""

    def _settle_single_byte(self) -> None:
        if self._has_multibyte or self._skip_mark:
            self.problem = "mixed"
        else:
            self.encoding = "latin-1" if self._is_latin1 else "cp1252"


def as_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the bytes as UTF-8, without a byte order mark."""
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    is_first = True
    for block in blocks:
        text = block if decoder is None else decoder.decode(block).encode()
        if is_first and text:
            text, is_first = text.removeprefix(codecs.BOM_UTF8), False
        if text:
            yield text


def with_newlines(blocks: Iterable[bytes], line_ending: str) -> Iterator[bytes]:
    r"""Yield the text with `\n` instead of every carriage return, when some have no newline after them.

    Files in which every one has a newline pass unchanged: the parser reads `\r\n` itself, also in quotes.
    """
    if line_ending not in ("cr", "mixed"):
        yield from blocks
        return
    held = b""
    for block in blocks:
        text = held + block
        held = b"\r" if text.endswith(b"\r") else b""
        yield text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if held:
        yield b"\n"
