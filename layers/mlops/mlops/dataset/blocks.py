"""Blocks: whole records of a table as bytes, with the lines on which they begin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole, well-formed records, and the line of the file on which each begins."""

    body: bytes
    lines: Positions

    def narrowed(self, lines: Positions) -> Block:
        """Return the records that begin on these lines, and maybe others."""
        chosen = np.isin(self.lines, lines, assume_unique=True)
        if chosen.all() or b'"' in self.body:  # a quoted field may hold newlines
            return self
        records = self.body.split(b"\n")
        body = b"".join(records[row] + b"\n" for row in np.flatnonzero(chosen).tolist())
        return Block(body, self.lines[chosen])


def gathered(blocks: Iterable[Block], size_bytes: int) -> Iterator[Block]:
    """Join small blocks to such of at least that size; only the last one may be smaller, none is empty."""
    waiting: list[Block] = []
    for block in blocks:
        waiting.append(block)
        if sum(len(one.body) for one in waiting) >= size_bytes:
            yield _joined(waiting)
            waiting = []
    if any(len(one.lines) for one in waiting):
        yield _joined(waiting)


def _joined(blocks: list[Block]) -> Block:
    return Block(b"".join(one.body for one in blocks), np.concatenate([one.lines for one in blocks]))
