"""JSON: one object on each line, or one array of objects, as a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from mlops.dataset.conversion.recognition import HEAD_BYTES
from mlops.dataset.conversion.refusal import refused
from mlops.dataset.conversion.table_file import ConvertedTable, TableWriter
from mlops.dataset.form.encodings import encoding_of
from mlops.dataset.limits import MIB, Limits
from mlops.dataset.privacy import name_in_report, shown
from mlops.models.dataset import Finding

_CHUNK_CHARACTERS = 1024 * 1024
_MAX_OBJECT_CHARACTERS = 16 * MIB
_FORM = "Write one flat object on each line, or one array of flat objects."
_BLANK = " \t\r\n"
_SPACE = frozenset(_BLANK)


class _Number(str):
    """A number exactly as it is written."""

    __slots__ = ()


type _Object = Mapping[str, Any]
# number of the line or of the object, and the object; None for a blank line
type _Numbered = tuple[int, _Object | None]


@dataclass(slots=True)
class _Columns:
    """The columns in the order in which objects first have them, and what they contain."""

    positions: dict[str, int] = field(default_factory=dict)
    with_text: set[str] = field(default_factory=set)
    with_others: set[str] = field(default_factory=set)

    def add(self, number: int, row: _Object) -> None:
        """Take the cells of one object."""
        for name, cell in row.items():
            if name not in self.positions:
                self.positions[name] = len(self.positions)
            if cell is None:
                continue
            if type(cell) is str:
                if cell and name not in self.with_text:
                    self.with_text.add(name)
            elif isinstance(cell, (dict, list)):
                message = f"Column {shown(name)} has lists or objects in its cells, first on line {number:,}."
                raise refused(
                    "nested_columns", message, column=name_in_report(name), line=number, advice=_FORM
                )
            elif name not in self.with_others:
                self.with_others.add(name)

    def of_text(self) -> tuple[int, ...]:
        """Return the positions of the columns of which every cell is a text."""
        return tuple(sorted(self.positions[name] for name in self.with_text - self.with_others))


def convert_json(source: Path, target: Path, limits: Limits) -> ConvertedTable:
    """Write a file of JSON as CSV.

    Raises
    ------
    RefusalError
        If something in it is not a flat object.
    """
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    encoding, _ = encoding_of(head)
    is_array = head.decode(encoding, "ignore").lstrip("\ufeff").lstrip().startswith("[")
    read = _elements if is_array else _lines

    def objects() -> Iterator[_Numbered]:
        yield from _readable(source, encoding, read)

    columns = _Columns()
    for number, row in objects():
        if row is not None:
            columns.add(number, row)
    is_too_wide = len(columns.positions) > limits.max_columns  # the header alone is refused
    with target.open("w", encoding="utf-8", errors="replace", newline="") as out:
        writer = TableWriter(out, list(columns.positions), limits)
        for _, row in () if is_too_wide else objects():
            if row is None:
                writer.write_blank()
            else:
                writer.write_row([_written(row.get(name)) for name in columns.positions])
    unit = "objects of the array" if is_array else "lines of the file"
    message = f"The file was read as JSON; numbers of lines are {unit}."
    return ConvertedTable(0, columns.of_text(), (Finding("converted", "info", message),))


def _written(cell: Any) -> str | None:
    return None if cell is None else str(cell)  # truth as `True` and `False`: as pandas writes it


def _readable(
    source: Path, encoding: str, read: Callable[[TextIO], Iterator[_Numbered]]
) -> Iterator[_Numbered]:
    try:
        with source.open(encoding=encoding, newline="\n") as stream:
            if stream.read(1) != "\ufeff":
                stream.seek(0)
            yield from read(stream)
    except UnicodeDecodeError as error:
        raise refused("encoding", "The JSON is not UTF-8 text.", advice="Save the file as UTF-8.") from error


def _lines(stream: TextIO) -> Iterator[_Numbered]:
    decode = _decoder().decode
    number = 0
    while line := stream.readline(_MAX_OBJECT_CHARACTERS):
        number += 1
        text = line.strip(_BLANK)
        if not text:
            yield number, None
            continue
        try:
            row = decode(text)
        except (ValueError, RecursionError) as error:
            raise _broken(f"Line {number:,} is not a complete JSON object", number, error) from error
        yield number, _flat(row, number)


def _elements(stream: TextIO) -> Iterator[_Numbered]:
    """Yield the objects of an array, in memory that does not grow with it."""
    decode = _decoder().raw_decode
    text = _Text(stream)
    text.expect("[")
    number = 0
    while text.next_mark() != "]":
        if number:
            text.expect(",")
            text.next_mark()
        number += 1
        yield number, _flat(text.take(decode, number), number)
    text.expect("]")
    if text.next_mark():
        raise text.broken("There is something after the array")


class _Text:
    """The text of an array, read piece by piece."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._buffer, self._position, self._line = "", 0, 1

    def next_mark(self) -> str:
        """Return the next character that is not space, without taking it; nothing at the end."""
        while True:
            while self._position < len(self._buffer) and self._buffer[self._position] in _SPACE:
                self._position += 1
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._read_on():
                return ""

    def expect(self, mark: str) -> None:
        """Take a character that must be next."""
        if self.next_mark() != mark:
            raise self.broken(f"The array is broken or incomplete: {mark!r} is missing")
        self._position += 1

    def take(self, decode: Callable[[str, int], tuple[Any, int]], number: int) -> Any:
        """Take the next value."""
        while True:
            try:
                value, end = decode(self._buffer, self._position)
            except (ValueError, RecursionError) as error:
                if not isinstance(error, json.JSONDecodeError) or not self._read_on():
                    raise self.broken(
                        f"Object {number:,} of the array is not complete JSON", error
                    ) from error
            else:
                self._position = end
                return value

    def broken(self, what: str, error: Exception | None = None) -> Exception:
        """Return the refusal of what is at this position, or where the error is."""
        position = error.pos if isinstance(error, json.JSONDecodeError) else self._position
        line = self._line + self._buffer.count("\n", 0, position)
        return _broken(f"{what}, on line {line:,}", line, error)

    def _read_on(self) -> bool:
        """Read as much again as is left, so that a long object is not tried many times."""
        n_left = len(self._buffer) - self._position
        more = self._stream.read(max(_CHUNK_CHARACTERS, n_left)) if n_left <= _MAX_OBJECT_CHARACTERS else ""
        if not more:
            return False
        self._line += self._buffer.count("\n", 0, self._position)
        self._buffer, self._position = self._buffer[self._position :] + more, 0
        return True


def _flat(row: Any, number: int) -> _Object:
    if not isinstance(row, dict):
        message = f"Number {number:,} is not a JSON object, so that it has no column names."
        raise refused("broken_json", message, line=number, advice=_FORM)
    return row


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=_constant,
        strict=False,
    )


def _constant(name: str) -> _Number | None:
    return None if name == "NaN" else _Number(name.replace("Infinity", "inf"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a name occurs twice in one object")
    return row


def _broken(message: str, line: int, error: Exception | None) -> Exception:
    match error:
        case json.JSONDecodeError():
            reason = f": {error.msg} at character {error.colno:,}"
        case RecursionError():
            reason = ": it is nested too deeply"
        case ValueError():
            reason = f": {error}"
        case _:
            reason = ""
    return refused("broken_json", f"{message}{reason}.", line=line, advice=_FORM)
