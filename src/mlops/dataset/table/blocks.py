"""Blocks: whole records of a table as bytes, with the lines on which they begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Positions = NDArray[np.int64]


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
            yield _joined(waiting)
            waiting = []
    if any(len(one.lines) for one in waiting):
        yield _joined(waiting)


def _joined(blocks: list[Block]) -> Block:
    before = np.cumsum([0, *(len(one.text) for one in blocks)])
    return Block(
        b"".join(one.text for one in blocks),
        np.concatenate([one.lines for one in blocks]),
        *(
            np.concatenate([getattr(one, name) + shift for one, shift in zip(blocks, before, strict=False)])
            for name in ("starts", "ends", "delimiters")
        ),
    )
