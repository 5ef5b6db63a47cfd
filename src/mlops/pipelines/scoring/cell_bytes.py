"""Columns of a CSV as bytes, all cells of a column at once, and the rows that they make.

A column is a matrix with a row of bytes for each cell. Zero bytes in it, wherever they are, are not written,
so no cell needs to be moved to where the one before it ends. Columns with long texts, of which a matrix would
be mostly zeros, are lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

type ByteMatrix = NDArray[np.uint8]
type CellBytes = ByteMatrix | list[bytes]

# what a 32-bit float holds; digits beyond it are noise of the platform
_N_DIGITS = 9
_LONGEST_TEXT = 128
_COMMA, _NEWLINE, _MINUS, _POINT, _ZERO = b",\n-.0"
# `%.9g` writes numbers from the first of these to below ten times the last one without an exponent
_POWERS = 10.0 ** np.arange(-4, _N_DIGITS)
_FACTORS = 10.0 ** np.arange(2 * _N_DIGITS)  # all of them exact
_WIDTH = 6 + 2 * _N_DIGITS - 1
# the digits are an exact product, rounded once; so close to a half the rounding is left to Python
_CLOSE = 1e-6


def number_cells(numbers: NDArray[np.float64]) -> ByteMatrix:
    """Return numbers with nine significant digits, as `%.9g` writes them, shape (numbers, bytes)."""
    magnitude = np.abs(numbers)
    exponent = np.searchsorted(_POWERS, magnitude, side="right") - 5
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = magnitude * _FACTORS.take(_N_DIGITS - 1 - exponent, mode="clip")
        rounded = np.rint(scaled)
        is_exact = np.abs(np.abs(scaled - rounded) - 0.5) > _CLOSE
        is_plain = is_exact & (magnitude >= _POWERS[0]) & (rounded <= 10.0**_N_DIGITS)
    is_next_power = rounded == 10.0**_N_DIGITS  # 0.9999999999 is 1
    exponent = exponent + is_next_power
    is_plain &= exponent < _N_DIGITS
    digits = np.where(is_next_power, 10.0 ** (_N_DIGITS - 1), np.where(is_plain, rounded, 0.0))
    cells = _fixed(digits.astype(np.uint32), exponent, numbers < 0.0)
    for row in np.flatnonzero(~is_plain).tolist():
        text = b"%.9g" % numbers[row]
        cells[row] = np.frombuffer(text.ljust(_WIDTH, b"\0"), np.uint8)
    return cells


def _fixed(
    digits: NDArray[np.uint32], exponent: NDArray[np.int64], is_negative: NDArray[np.bool_]
) -> ByteMatrix:
    """Return numbers without an exponent: sign, zeros before the digits, digits, and the point among them."""
    decimals = _decimals(digits, _N_DIGITS)
    last = _N_DIGITS - 1 - (decimals[::-1] != 0).argmax(axis=0)  # the last digit that is not zero
    end = np.maximum(last, exponent)
    cells = np.zeros((_WIDTH, len(digits)), np.uint8)
    cells[0, is_negative] = _MINUS
    cells[1, exponent < 0] = _ZERO
    cells[2, exponent < 0] = _POINT
    for place in range(3):
        cells[3 + place, exponent < -1 - place] = _ZERO
    for place in range(_N_DIGITS):
        np.multiply(decimals[place] + _ZERO, place <= end, out=cells[6 + 2 * place])
        if place + 1 < _N_DIGITS:
            cells[7 + 2 * place, (exponent == place) & (last > place)] = _POINT
    return cells.T


def count_cells(first: int, n_rows: int) -> ByteMatrix:
    """Return the numbers of rows from `first` on, shape (rows, bytes)."""
    counts = np.arange(first, first + n_rows, dtype=np.uint64)
    width = len(str(first + n_rows))
    cells = _decimals(counts, width) + np.uint8(_ZERO)
    for place in range(width - 1):
        cells[place, counts < 10 ** (width - 1 - place)] = 0
    return cells.T


def _decimals(numbers: NDArray[np.unsignedinteger], width: int) -> ByteMatrix:
    """Return the last digits of whole numbers, shape (`width`, numbers)."""
    decimals = np.empty((width, len(numbers)), np.uint8)
    for place in range(width - 1, -1, -1):
        numbers, decimals[place] = np.divmod(numbers, numbers.dtype.type(10))
    return decimals


def text_cells(texts: Sequence[str], codes: NDArray[np.integer]) -> CellBytes:
    """Return the text of each code; that of the code -1 is the last one."""
    encoded = list(map(str.encode, texts))
    width = max(map(len, encoded), default=0) or 1
    if width > _LONGEST_TEXT or "\0" in "".join(texts):
        taken: list[bytes] = np.array(encoded, dtype=object)[codes].tolist()
        return taken
    matrix = np.array(encoded, dtype=f"S{width}").view(np.uint8).reshape(-1, width)
    cells: ByteMatrix = matrix[codes]
    return cells


def spread(cells: CellBytes, is_filled: NDArray[np.bool_]) -> CellBytes:
    """Return the cells in the rows that are marked, with empty ones between them."""
    if len(cells) == len(is_filled):
        return cells
    if isinstance(cells, list):
        filled = iter(cells)
        return [next(filled) if mark else b"" for mark in is_filled.tolist()]
    matrix = np.zeros((len(is_filled), cells.shape[1]), np.uint8)
    matrix[is_filled] = cells
    return matrix


def joined(columns: Sequence[CellBytes]) -> bytes:
    """Return the lines of rows that have these cells; each one ends with a newline."""
    n_rows = len(columns[0])
    matrices = [column for column in columns if not isinstance(column, list)]
    if len(matrices) < len(columns):
        lines = map(b",".join, zip(*map(_as_list, columns), strict=True))
        return b"".join(line + b"\n" for line in lines)
    mark = partial(np.full, (n_rows, 1), dtype=np.uint8)
    parts = [part for matrix in matrices for part in (matrix, mark(_COMMA))]
    table = np.concatenate([*parts[:-1], mark(_NEWLINE)], axis=1).ravel()
    written: ByteMatrix = table.compress(table != 0)  # a seventh of the time of `table[table != 0]`
    return written.tobytes()


def _as_list(cells: CellBytes) -> list[bytes]:
    if isinstance(cells, list):
        return cells
    return [row.tobytes().replace(b"\0", b"") for row in cells]
