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
_LONGEST_NUMBER = len("-1.23456789e-123")
_BEFORE_DIGITS = len("-0.000")
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
        cells[row] = np.frombuffer(text.ljust(cells.shape[1], b"\0"), np.uint8)
    return cells


def _fixed(
    digits: NDArray[np.uint32], exponent: NDArray[np.int64], is_negative: NDArray[np.bool_]
) -> ByteMatrix:
    """Return numbers without an exponent: sign, zeros before the digits, digits, and the point among them.

    There is no room for a point between the digits where all numbers are below 1, as probabilities are.
    """
    n_apart = 2 if (exponent >= 0).any() else 1
    decimals = _decimals(digits, _N_DIGITS)
    last = _N_DIGITS - 1 - (decimals[::-1] != 0).argmax(axis=0)  # the last digit that is not zero
    end = np.maximum(last, exponent)
    width = max(_BEFORE_DIGITS + n_apart * _N_DIGITS, _LONGEST_NUMBER)
    cells = np.zeros((width, len(digits)), np.uint8)
    cells[0, is_negative] = _MINUS
    cells[1, exponent < 0] = _ZERO
    cells[2, exponent < 0] = _POINT
    for place in range(3):
        cells[3 + place, exponent < -1 - place] = _ZERO
    for place in range(_N_DIGITS):
        position = _BEFORE_DIGITS + n_apart * place
        np.multiply(decimals[place] + _ZERO, place <= end, out=cells[position])
        if n_apart > 1 and place + 1 < _N_DIGITS:
            cells[position + 1, (exponent == place) & (last > place)] = _POINT
    return cells.T


def count_cells(first: int, n_rows: int) -> ByteMatrix:
    """Return the numbers of rows from `first` on, shape (rows, bytes)."""
    counts = np.arange(first, first + n_rows, dtype=np.uint32)
    width = len(str(first + n_rows))
    cells = _decimals(counts, width) + np.uint8(_ZERO)
    for place in range(width - 1):
        cells[place, counts < 10 ** (width - 1 - place)] = 0
    return cells.T


def _decimals(numbers: NDArray[np.uint32], width: int) -> ByteMatrix:
    """Return the last digits of whole numbers, shape (`width`, numbers)."""
    decimals, ten = np.empty((width, len(numbers)), np.uint8), np.uint32(10)
    for place in range(width - 1, -1, -1):
        tens = numbers // ten  # with the product a third of the time of `divmod`
        np.subtract(numbers, tens * ten, out=decimals[place], casting="unsafe")
        numbers = tens
    return decimals


def text_cells(texts: Sequence[str], codes: NDArray[np.integer]) -> CellBytes:
    """Return the text of each code; that of the code -1 is the last one."""
    ended = ("\0".join(texts) + "\0").encode()
    lengths = np.diff(np.flatnonzero(np.frombuffer(ended, np.uint8) == 0), prepend=-1) - 1
    if len(lengths) != len(texts) or lengths.max() > _LONGEST_TEXT:
        taken: list[bytes] = np.array(list(map(str.encode, texts)), dtype=object)[codes].tolist()
        return taken
    matrix = np.zeros((len(texts), max(lengths.max(), 1)), np.uint8)
    matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = np.frombuffer(
        ended.translate(None, b"\0"), np.uint8
    )
    return matrix.take(codes, axis=0)  # a tenth of the time of `matrix[codes]`


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
    table = np.concatenate([*parts[:-1], mark(_NEWLINE)], axis=1)
    return table.tobytes().translate(None, b"\0")  # half the time of `compress`


def _as_list(cells: CellBytes) -> list[bytes]:
    if isinstance(cells, list):
        return cells
    return [row.tobytes().replace(b"\0", b"") for row in cells]
