"""Blocks of whole records, and their columns read straight from the bytes, eight at a time.

Every cell of plain decimal numbers and short texts is gathered as one or a few 64-bit words, and arithmetic
on whole columns of words does the rest. Long texts are cut out one by one. What is not plain (many digits,
exponents) is left to the parser in `chunks`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.table.cells import SAFE_INTEGER, without_edges

type Positions = NDArray[np.int64]
type Words = NDArray[np.uint64]

_LONGEST_NUMBER, _LONGEST_TEXT = 16, 64
_PADDING = bytes(_LONGEST_TEXT)  # so that words around the first and the last cell lie in the buffer
_RETURN, _SPACE, _MINUS, _ZERO, _BEYOND_ASCII = 13, 32, 45, 48, 128
_POWERS = 10 ** np.arange(_LONGEST_NUMBER + 1, dtype=np.uint64)
_TENS = _POWERS.astype(np.float64)
_1, _7, _8 = np.uint64(1), np.uint64(7), np.uint64(8)
_MULTIPLIER, _FOLD = np.uint64(0xBF58476D1CE4E5B9), np.uint64(32)
_FACTORS = np.uint64(0x9E3779B97F4A7C15) ** np.arange(1, _LONGEST_TEXT // 8 + 1, dtype=np.uint64)


def _in_every_byte(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


_ZEROS, _HIGH_BITS, _LOW_BITS = _in_every_byte(ord("0")), _in_every_byte(0x80), _in_every_byte(0x7F)
_ABOVE_NINE = _in_every_byte(0x80 - 10)
# neighbouring digits become numbers of two digits, these of four, these of eight
_JOINTS = tuple(
    (np.uint64(mask), np.uint64((10**n << 8 * n) + 1), np.uint64(8 * n))
    for n, mask in ((1, 0x0F0F0F0F0F0F0F0F), (2, 0x00FF00FF00FF00FF), (4, 0x0000FFFF0000FFFF))
)


@dataclass(frozen=True, slots=True)
class Block:
    """Whole, well-formed records: their text, the line of the file on which each begins, and their layout.

    `starts` and `ends` are positions in the text (an end is that of the newline), and `delimiters`, of shape
    (records, fields - 1), are those of the delimiters outside quotes.
    """

    text: bytes
    lines: Positions
    starts: Positions
    ends: Positions
    delimiters: Positions


@dataclass(frozen=True)
class Texts:
    """A column as it is written: distinct values in the order of appearance, and which one each row holds.

    `keys` are `text_keys` of the values, when they came about on the way. With `has_no_edges` it is known
    that no value has spaces around it.
    """

    values: list[str]
    codes: NDArray[np.int64]
    keys: Words | None = None
    has_no_edges: bool = False

    @cached_property
    def stripped(self) -> Sequence[str]:
        """The values without the spaces around them; `values` itself where there are none."""
        return self.values if self.has_no_edges else without_edges(self.values)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str:
        return self.values[int(self.codes[row])]

    def at(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """Return the cells of some rows."""
        present, places = np.unique(self.codes[rows], return_inverse=True)
        return np.array([self.values[code] for code in present.tolist()], dtype=object)[places]


class Fields:
    """The cells of a block, column by column."""

    def __init__(self, block: Block, quote: str = '"') -> None:
        padded = b"".join((_PADDING, block.text, _PADDING))
        self._text = block.text
        self._octets = np.frombuffer(block.text, np.uint8)
        self._after = _words(padded, len(_PADDING))
        self._before = _words(padded, len(_PADDING) - 8)
        self._quote = quote
        self._has_quotes = bool(quote) and quote.encode() in block.text
        self._has_doubled_quotes = self._has_quotes and 2 * quote.encode() in block.text
        self._starts = block.starts
        self._ends = block.ends - (self._octets[block.ends - 1] == _RETURN)
        self._delimiters = np.ascontiguousarray(block.delimiters.T)  # column by column

    def numbers(self, position: int, decimal: str, missing: Collection[str]) -> NDArray[np.float64] | None:
        """Return a column of floats, NaN where empty or `missing`; None if any other cell is irregular."""
        starts, ends = self._cells(position)
        if (ends - starts).max() > _LONGEST_NUMBER:
            return None
        is_negative = self._octets[starts] == _MINUS
        numbers, is_odd = self._decimals(starts + is_negative, ends, decimal)
        np.negative(numbers, out=numbers, where=is_negative)
        if is_odd.any():
            rows = np.flatnonzero(is_odd)
            others = self._texts(starts[rows], ends[rows])
            if others is None or not set(others.values) <= {"", *missing}:
                return None
            numbers[is_odd] = np.nan
        return numbers

    def texts(self, position: int) -> Texts | None:
        """Return a column as it is written; None where that needs the parser."""
        return self._texts(*self._cells(position))

    def _cells(self, position: int) -> tuple[Positions, Positions]:
        """Return where the cells of a column begin and end, without the quotes around them."""
        starts = self._delimiters[position - 1] + 1 if position else self._starts
        ends = self._ends if position == len(self._delimiters) else self._delimiters[position]
        if self._has_quotes:
            is_quoted = self._octets[starts] == ord(self._quote)
            return starts + is_quoted, ends - is_quoted
        return starts, ends

    def _decimals(
        self, starts: Positions, ends: Positions, decimal: str
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the numbers, and which cells are something else than up to 15 digits and a mark."""
        lengths, mark = ends - starts, _in_every_byte(ord(decimal) ^ ord("0"))
        is_odd = np.zeros(len(lengths), dtype=bool)
        total = np.zeros(len(lengths), np.uint64)
        n_marks = n_decimals = np.zeros(len(lengths), np.uint8)
        for n_after in range(0, int(lengths.max()), 8):  # from the last word on
            outside = _outside(lengths - n_after)
            digits = (self._before[ends - n_after] ^ _ZEROS) >> outside << outside
            marks = digits ^ mark
            marks = ~((marks & _LOW_BITS) + _LOW_BITS | marks) & _HIGH_BITS  # the high bit of every mark
            right = ~((marks << _1) - _1)
            n_marks_here = np.bitwise_count(marks)
            # the digits left of the mark move over it
            digits = digits & right | (digits & (marks >> _7) - _1) << n_marks_here.astype(np.uint64) * _8
            is_odd |= ((digits | digits + _ABOVE_NINE) & _HIGH_BITS) != 0
            n_decimals = n_decimals + (np.bitwise_count(right) >> 3) + n_marks_here * n_after
            total += _joined(digits) * (_POWERS.take(n_after - n_marks) if n_after else _1)
            n_marks = n_marks + n_marks_here
        numbers = total.astype(np.float64)
        is_odd |= (n_marks > 1) | (lengths <= n_marks) | (numbers >= SAFE_INTEGER)
        # digits that may be a code, such as 007
        is_odd |= (self._octets[starts] == _ZERO) & (lengths - n_decimals > 1 + n_marks)
        return numbers / _TENS.take(n_decimals, mode="clip"), is_odd

    def _texts(self, starts: Positions, ends: Positions) -> Texts | None:
        lengths = ends - starts
        longest = int(lengths.max())
        if longest > _LONGEST_TEXT:
            return self._long_texts(starts, ends)
        words = [self._word(starts, lengths, n_before) for n_before in range(0, max(longest, 1), 8)]
        if len(words) == 1:  # no two words share a key
            codes, distinct = pd.factorize(words[0])
            keys, texts = _mixed([distinct]), distinct.view("S8")
        else:
            codes, keys = pd.factorize(_mixed(words))
            first = np.empty(len(keys), np.int64)
            first[codes[::-1]] = np.arange(len(codes))[::-1]
            if not all((word == word[first][codes]).all() for word in words):
                return None  # two texts share a key
            texts = np.stack([word[first] for word in words], axis=1).view(f"S{8 * len(words)}").ravel()
        values = b"\0".join(texts.tolist()).decode().split("\0")
        return self._undoubled(Texts(values, codes, keys), starts)

    def _word(self, starts: Positions, lengths: Positions, n_before: int) -> Words:
        """Return the eight bytes of each cell after its first `n_before` ones; zeros follow its end."""
        outside = _outside(lengths - n_before)
        return self._after[starts + n_before] << outside >> outside

    def _long_texts(self, starts: Positions, ends: Positions) -> Texts | None:
        """Return cells of any length."""
        bounds = zip(starts.tolist(), ends.tolist(), strict=True)
        if self._text.isascii():
            text = self._text.decode()
            cells = [text[start:end] for start, end in bounds]
        else:
            cells = [self._text[start:end].decode() for start, end in bounds]
        codes, values = pd.factorize(np.array(cells, dtype=object))
        texts = Texts(values.tolist(), codes, has_no_edges=self._have_no_edges(starts, ends))
        return self._undoubled(texts, starts)

    def _have_no_edges(self, starts: Positions, ends: Positions) -> bool:
        """Whether all cells begin and end with characters of ASCII that are not spaces; others may be."""
        is_filled = starts < ends
        outer = self._octets[np.concatenate((starts[is_filled], ends[is_filled] - 1))]
        return bool(((outer > _SPACE) & (outer < _BEYOND_ASCII)).all())

    def _undoubled(self, texts: Texts, starts: Positions) -> Texts | None:
        """Return texts with one quote for every doubled one; None where these are ordinary characters."""
        if not self._has_doubled_quotes:
            return texts
        values, codes, twice = texts.values, texts.codes, self._quote * 2
        is_doubled = np.fromiter((twice in value for value in values), bool, len(values))
        if not is_doubled.any():
            return texts
        is_enclosed = self._octets[np.maximum(starts - 1, 0)] == ord(self._quote)
        if (is_doubled[codes] & ~is_enclosed).any():
            return None
        # `"a""b"` and `a"b` are the same text
        places, distinct = pd.factorize(
            np.array([value.replace(twice, self._quote) for value in values], object)
        )
        return Texts(distinct.tolist(), places[codes])


def text_keys(values: Sequence[str]) -> Words:
    """Return one number for each text, the same in every block and file."""
    encoded = [value.encode() for value in values]
    short = [each if len(each) <= _LONGEST_TEXT else blake2b(each).digest() for each in encoded]
    n_words = max((-(-len(each) // 8) for each in short), default=0) or 1
    words = np.array(short, dtype=f"S{8 * n_words}").view("<u8").reshape(len(values), n_words)
    return _mixed(list(words.T))


def _words(padded: bytes, start: int) -> Words:
    """Return the word that begins at every byte from `start` on; they overlap and are not copied."""
    return np.ndarray(len(padded) - start - 7, "<u8", padded, start, strides=(1,))


def _outside(lengths: Positions) -> Words:
    """Return how many bits of a word lie outside of a cell that goes on for so many bytes."""
    return np.maximum(64 - 8 * lengths, 0).view(np.uint64)


def _mixed(words: Sequence[Words]) -> Words:
    """Return one number for several words; words of zeros at the end change nothing."""
    total = np.zeros(len(words[0]), np.uint64)
    for word, factor in zip(words, _FACTORS, strict=False):
        spread = word * factor
        total += (spread ^ (spread >> _FOLD)) * _MULTIPLIER
    return total


def _joined(digits: Words) -> Words:
    """Return the numbers that eight digits each make, the first digit in the lowest byte."""
    for mask, factor, width in _JOINTS:
        digits = (digits & mask) * factor >> width
    return digits


def cut_out(
    text: bytes, lines: Positions, starts: Positions, ends: Positions, delimiters: Positions
) -> Block:
    """Return a block of those records of a text that begin and end there."""
    records = [text[start : end + 1] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    shift = np.cumsum(ends + 1 - starts) - (ends + 1)
    return Block(b"".join(records), lines, starts + shift, ends + shift, delimiters + shift[:, None])


def gathered(blocks: Iterable[Block], size_bytes: int) -> Iterator[Block]:
    """Join small blocks to such of at least that size; only the last one may be smaller, none is empty."""
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        if sum(len(one.text) for one in waiting) >= size_bytes:
            yield _one_block(waiting)
            waiting = []
    if any(len(one.lines) for one in waiting):
        yield _one_block(waiting)


def _one_block(blocks: list[Block]) -> Block:
    before = np.cumsum([0, *(len(one.text) for one in blocks)])
    return Block(
        b"".join(one.text for one in blocks),
        np.concatenate([one.lines for one in blocks]),
        *(
            np.concatenate([getattr(one, name) + shift for one, shift in zip(blocks, before, strict=False)])
            for name in ("starts", "ends", "delimiters")
        ),
    )


def are_among(lines: Positions, others: Positions) -> NDArray[np.bool_]:
    """Mark the positions that are among others; both ascend."""
    places = np.searchsorted(others, lines)
    marks: NDArray[np.bool_] = others[np.minimum(places, len(others) - 1)] == lines
    return marks
