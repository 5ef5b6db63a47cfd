"""Parses blocks of records into columns: numbers as floats, everything else as categories of text.

A column that is planned as numbers falls back to text in the block that holds something else, so that the
irregular cells can be named; the other columns and the other blocks stay fast.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mlops.dataset.notation.notation import Notation
from mlops.dataset.table.cells import stated_missing_numbers, view_as_numbers
from mlops.dataset.table.dialect import Dialect
from mlops.dataset.table.fields import Block, Fields, Texts

# how the cells of each column are written, by position
type Notations = Mapping[int, Notation]

# "mixed" are numbers among which something else occurs: where it occurs again they are read as text,
# and compared as numbers
Plan = Literal["number", "mixed", "text"]
# `object` leaves text as it was parsed; `str` would look at every cell once more, and `category` would sort
# the values of every block
_TYPES: Mapping[Plan, Any] = {"number": np.float64, "mixed": object, "text": object}
# a number is the nearest float whatever the platform: pandas 2 only on request, pandas 3 always
_NO_NOTATIONS: Mapping[int, Notation] = {}
_PRECISION: Mapping[str, Any] = {"float_precision": "round_trip"} if pd.__version__ < "3" else {}


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of the table by column position, and the line of the file on which each row begins.

    `mixed` are the positions among `texts` that hold numbers and something else.
    """

    lines: NDArray[np.int64]
    numbers: Mapping[int, NDArray[np.float64]]
    texts: Mapping[int, Texts]
    mixed: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.lines)


def parse(
    block: Block,
    dialect: Dialect,
    plans: Mapping[int, Plan],
    missing_tokens: Mapping[int, tuple[str, ...]],
    notations: Notations = _NO_NOTATIONS,
) -> Chunk:
    """Parse a block; `missing_tokens` are what a column of numbers writes for "missing" besides nothing.

    What the `notations` state as missing becomes an empty text, or NaN among numbers.
    """
    stated = {position: notation for position, notation in notations.items() if notation.missing}
    if not stated:
        return _parse(block, dialect, plans, missing_tokens)
    more = {p: (*missing_tokens.get(p, ()), *notation.missing) for p, notation in stated.items()}
    chunk = _parse(block, dialect, plans, {**missing_tokens, **more})
    numbers = {p: _without_numbers(cells, stated.get(p)) for p, cells in chunk.numbers.items()}
    texts = {p: _without_texts(cells, stated.get(p)) for p, cells in chunk.texts.items()}
    return replace(chunk, numbers=numbers, texts=texts)


def _parse(
    block: Block,
    dialect: Dialect,
    plans: Mapping[int, Plan],
    missing_tokens: Mapping[int, tuple[str, ...]],
) -> Chunk:
    numbers: dict[int, NDArray[np.float64]] = {}
    texts: dict[int, Texts] = {}
    fields = Fields(block, dialect.quote)
    for position, plan in plans.items():
        missing = missing_tokens.get(position, ()) if plan == "number" else ()
        values = None if plan == "text" else fields.numbers(position, dialect.decimal, missing)
        if values is not None:
            numbers[position] = values
        elif plan != "number" and (cells := fields.texts(position)) is not None:
            texts[position] = cells
    mixed = frozenset(position for position in texts if plans[position] == "mixed")
    rest = {p: plan for p, plan in plans.items() if p not in numbers and p not in texts}
    if not rest:
        return Chunk(block.lines, numbers, texts, mixed)
    parsed = _parse_any(block, dialect, rest, missing_tokens)
    return Chunk(block.lines, {**numbers, **parsed.numbers}, {**texts, **parsed.texts}, mixed | parsed.mixed)


def _parse_any(
    block: Block,
    dialect: Dialect,
    plans: Mapping[int, Plan],
    missing_tokens: Mapping[int, tuple[str, ...]],
) -> Chunk:
    """Let pandas parse columns in which some cells are not plain."""
    numeric = [position for position, plan in plans.items() if plan == "number"]
    try:
        frame = _read(block, dialect, plans, missing_tokens)
    except ValueError:  # some cell is not a number: pandas does not say which
        textual = _columns_with_text(block, dialect, plans, missing_tokens, numeric)
        plans = {**plans, **dict.fromkeys(textual, "mixed")}
        frame = _read(block, dialect, plans, missing_tokens)
        numeric = [position for position in numeric if position not in textual]
    numbers = {position: frame[position].to_numpy(np.float64) for position in numeric}
    texts = {position: _distinct(frame[position]) for position in plans if position not in numbers}
    mixed = frozenset(position for position, plan in plans.items() if plan == "mixed")
    return Chunk(block.lines, numbers, texts, mixed)


def _without_numbers(numbers: NDArray[np.float64], notation: Notation | None) -> NDArray[np.float64]:
    if notation is None:
        return numbers
    return np.where(np.isin(numbers, stated_missing_numbers(notation)), np.nan, numbers)


def _without_texts(cells: Texts, notation: Notation | None) -> Texts:
    if notation is None:
        return cells
    stated, view = set(notation.missing), view_as_numbers(cells.values, notation)
    is_number = np.isin(view.numbers, stated_missing_numbers(notation))
    values = [
        "" if is_gap or value.strip() in stated else value
        for value, is_gap in zip(cells.values, is_number.tolist(), strict=True)
    ]
    return Texts(values, cells.codes)


def _distinct(cells: pd.Series) -> Texts:
    codes, values = pd.factorize(cells)
    return Texts(values.tolist(), codes)


def _read(
    block: Block,
    dialect: Dialect,
    plans: Mapping[int, Plan],
    missing_tokens: Mapping[int, tuple[str, ...]],
    **options: Any,
) -> pd.DataFrame:
    dtypes = {position: _TYPES[plan] for position, plan in plans.items()}
    numeric = [position for position, plan in plans.items() if plan == "number"]
    settings: dict[str, Any] = {
        "header": None,
        "names": list(range(len(dialect.names))),
        "usecols": list(plans),
        "index_col": False,
        "sep": dialect.delimiter,
        "decimal": dialect.decimal,
        **({"quotechar": dialect.quote} if dialect.quote else {"quoting": csv.QUOTE_NONE}),
        "dtype": dtypes,
        "na_values": {p: ["", *missing_tokens.get(p, ())] for p in numeric},
        "keep_default_na": False,
        "skip_blank_lines": False,
        "low_memory": False,
        "engine": "c",
        **_PRECISION,
    }
    frame: pd.DataFrame = pd.read_csv(BytesIO(block.text), **{**settings, **options})
    return frame


def _columns_with_text(
    block: Block,
    dialect: Dialect,
    plans: Mapping[int, Plan],
    missing_tokens: Mapping[int, tuple[str, ...]],
    numeric: list[int],
) -> list[int]:
    """Let pandas guess the types of the numeric columns and return those that did not become numbers."""
    some: Mapping[int, Plan] = {position: plans[position] for position in numeric}
    guessed = _read(block, dialect, some, missing_tokens, dtype=None)
    textual = [position for position in numeric if guessed[position].dtype.kind not in "fiu"]
    return textual or numeric
