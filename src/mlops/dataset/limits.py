"""Limits that a file must keep."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.record import Record

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits(Record):
    """How large and how small a file may be.

    A compressed file is refused as a bomb when it grows past `bomb_bytes` *and* past `bomb_ratio` times its
    size: real tables compress 3 to 20 times, so a large honest file passes and a small hostile one does not.
    Rows are compared with 24 bytes of temporary storage and 4 bytes of memory for each: `max_rows` fit into
    the functions.
    `max_lines` is how many lines of a finding are named.
    """

    min_rows: int = 50
    max_rows: int = 200_000_000
    max_columns: int = 5_000
    max_header_characters: int = 512
    max_field_bytes: int = 64 * 1024
    max_expanded_bytes: int = 2048 * MIB
    bomb_bytes: int = 32 * MIB
    bomb_ratio: float = 100.0
    max_parts: int = 1_000
    max_lines: int = 20
