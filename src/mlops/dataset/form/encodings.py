"""Which encoding a file is in, and its bytes as UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np

from mlops.dataset.form.encoding_evidence import LATIN, MULTIBYTE, ForeignText

# UTF-32 first: its little-endian mark begins with that of UTF-16
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# what text of seven bits in another encoding than ASCII contains
_ESCAPES = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$", "iso2022_jp"))
_CHINESE_ESCAPE = re.compile(rb"~\{(?:[!-}][!-~])+~\}")
# above this share of its bytes beyond ASCII a file is UTF-8 with damage, whatever else it could be
_UTF8_SHARE, _DAMAGED_SHARE = 0.5, 0.9
# so many bytes are not valid UTF-8 by chance
_MIN_UTF8_BYTES = 16
_FIRST_HIGH_BYTE = 0x80

EncodingProblem = Literal["truncated", "mixed", "damaged", "unsure", "contradicted"]


def encoding_of(head: bytes) -> tuple[str, bool]:
    """Return the encoding that the first bytes announce, and whether a byte order mark does so."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding, True
    if head.isascii():
        escaped = next((encoding for escape, encoding in _ESCAPES if escape in head), None)
        if escaped is not None or _CHINESE_ESCAPE.search(head):
            return escaped or "hz", False
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
    """Follows the bytes of a file and says in the end which encoding they are in, or may be in.

    Bytes that are not UTF-8 are taken as what the evidence says, when it is clear; a file that also holds
    true UTF-8 characters is damaged or mixes two encodings. A `stated` encoding is not guessed: it is a
    problem when the bytes contradict it.
    """

    def __init__(self, announced: str, *, has_bom: bool, stated: str | None = None) -> None:
        self.encoding = announced
        self.problem: EncodingProblem | None = None
        self.line: int | None = None
        self.likely: tuple[str, ...] = ()
        self._has_bom = has_bom
        self._is_stated = stated is not None
        if stated is not None and not has_bom:  # a mark leaves no doubt
            self.encoding = stated
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._foreign = ForeignText()
        self._has_pending = False
        self._is_invalid = False
        self._n_high = self._n_valid = 0

    def add(self, block: bytes, n_newlines_before: int) -> bytes:
        """Take the next bytes; return them as UTF-8 (unchanged when they are not of a wide encoding)."""
        if not block.isascii() or self._has_pending:
            self._check_utf8(block, n_newlines_before)
        return block if is_utf8(self.encoding) else self._decode(block, n_newlines_before)

    def close(self, n_newlines: int, *, is_whole: bool) -> None:
        """Decide. `is_whole` says whether all bytes were seen."""
        if not is_whole:
            return
        if not is_utf8(self.encoding):
            self._close_decoded(n_newlines)
        elif self._is_invalid:
            self._settle()
        elif self._utf8.getstate()[0]:
            self.line = n_newlines + 1
            self.problem = "truncated"

    def _check_utf8(self, block: bytes, n_newlines_before: int) -> None:
        n_high = int(np.count_nonzero(np.frombuffer(block, np.uint8) >= _FIRST_HIGH_BYTE))
        self._n_high += n_high
        if not self._is_invalid and self._is_valid(block, n_newlines_before):
            self._n_valid += n_high
        else:
            self._n_valid += len(block.decode("utf-8", "ignore").encode()) - (len(block) - n_high)
        if self._is_invalid or not is_utf8(self.encoding):
            self._foreign.add(block)

    def _is_valid(self, block: bytes, n_newlines_before: int) -> bool:
        try:
            self._utf8.decode(block)
        except UnicodeDecodeError as error:
            self._is_invalid = True
            self.line = n_newlines_before + error.object[: error.start].count(b"\n") + 1
            return False
        self._has_pending = bool(self._utf8.getstate()[0])
        return True

    def _decode(self, block: bytes, n_newlines_before: int) -> bytes:
        if self.problem:
            return b""
        try:
            return self._decoder.decode(block).encode()
        except UnicodeDecodeError as error:
            self.problem = "contradicted" if self._is_stated else "damaged"
            self.line = n_newlines_before + error.object[: error.start].count(b"\n") + 1
        except UnicodeError:
            self.problem, self.line = "damaged", n_newlines_before + 1
        self.likely = self._foreign.propose().encodings if self._is_stated else ()
        return b""

    def _close_decoded(self, n_newlines: int) -> None:
        is_all_utf8 = not self._is_invalid and self._n_high >= _MIN_UTF8_BYTES and not self._has_bom
        if self._is_stated and is_all_utf8 and not self.encoding.lower().startswith("utf"):
            self.problem, self.likely = "contradicted", ("utf-8",)
        elif self.problem is None and self._decoder.getstate()[0]:
            self.line, self.problem = n_newlines + 1, "truncated"

    def _settle(self) -> None:
        """Decide on bytes that are not UTF-8."""
        share = self._n_valid / self._n_high
        if self._has_bom or share >= _DAMAGED_SHARE:
            self.problem = "mixed"
            return
        proposal = self._foreign.propose()
        self.likely = proposal.encodings
        first = proposal.encodings[0] if proposal.encodings else "none"
        if self._is_stated:  # as UTF-8
            self.problem = "contradicted"
        elif (share > _UTF8_SHARE and first not in MULTIBYTE) or (self._n_valid and first in LATIN):
            self.problem = "mixed"
        elif proposal.is_sure and share <= _UTF8_SHARE:
            self.encoding = first
        else:
            self.problem = "unsure"


def is_utf8(encoding: str) -> bool:
    """Whether it is a name of UTF-8, or of ASCII, which is a part of it."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


def is_ascii_compatible(encoding: str) -> bool:
    """Whether delimiters and line ends are the same bytes as in ASCII."""
    return b"a,1;\r\n".decode(encoding, "replace") == "a,1;\r\n"


def first_undecodable_line(blocks: Iterable[bytes], encoding: str) -> int | None:
    """Return the 1-based line of the first bytes that the encoding does not have, None when it has all."""
    decoder, n_newlines = codecs.getincrementaldecoder(encoding)(), 0
    try:
        for block in blocks:
            decoder.decode(block)
            n_newlines += block.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return n_newlines + error.object[: error.start].count(b"\n") + 1
    return None


def is_of_family(stated: str, announced: str) -> bool:
    """Whether a stated encoding is the one of the byte order mark, as `utf-16` is of UTF-16-LE."""
    return codecs.lookup(stated).name.startswith(announced.removesuffix("-le").removesuffix("-be"))


def as_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the bytes as UTF-8, without a byte order mark."""
    decoder = None if is_utf8(encoding) else codecs.getincrementaldecoder(encoding)()
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
        end = max(len(text.rstrip(b"\r")), len(text) - 2)
        held = text[end:]
        # `\r\r\n`, which was converted twice, is one end of a line
        yield text[:end].replace(b"\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if held:
        yield b"\n" * len(held)
