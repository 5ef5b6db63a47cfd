"""The table `[format]` of `model.toml`: how the files of a group are written, in the words of DuckDB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.declared import refuse_unknown, table_of

FormatPurpose = Literal["training", "inference", "labels"]

_MAX_SKIPPED_LINES = 10_000
_ONE_CHARACTER = ("delim", "quote", "escape", "decimal_separator", "thousands")
LONGEST_COMMENT = 40
_CHOICES = ("header", "ignore_errors")
_TEXTS = (*_ONE_CHARACTER, "comment", "encoding", "dateformat", "sheet")


@dataclass(frozen=True, slots=True)
class FileFormatSettings(Record):
    """How a file is written; what is None is detected.

    Parameters
    ----------
    delim, quote, escape, decimal_separator, thousands
        One character each. `quote = ""` says that quotes are ordinary characters; `escape` is before a quote
        inside of a field in quotes, as a backslash; without it such a quote is written twice.
    encoding
        A name that Python knows, such as `cp1251`.
    header
        Whether the first line that is not skipped holds the column names.
    names
        The column names, in the order of the file; they replace a header.
    skip
        How many lines are before the header, or before the first row.
    comment
        Lines that begin with this text, as `#` or `Total`, are left out; `""` says that there are none.
    nullstr
        Spellings of a missing value, in addition to those that are recognised.
    dateformat
        How dates are written, with the codes of `strptime`: `%d.%m.%Y`.
    sheet
        The sheet of an Excel file; None is the first one.
    ignore_errors
        Whether rows that do not fit the header are left out. Never of a file to score: each of its rows gets
        an answer.
    """

    delim: str | None = None
    quote: str | None = None
    escape: str | None = None
    decimal_separator: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    header: bool | None = None
    names: tuple[str, ...] | None = None
    skip: int | None = None
    comment: str | None = None
    nullstr: tuple[str, ...] | None = None
    dateformat: str | None = None
    sheet: str | None = None
    ignore_errors: bool | None = None


@dataclass(frozen=True, slots=True)
class FormatSettings(FileFormatSettings):
    """The form of the files of a group, and where those of one purpose differ.

    What `[format.training]`, `[format.inference]` or `[format.labels]` states replaces the same key of
    `[format]` for files of that purpose.
    """

    training: FileFormatSettings | None = None
    inference: FileFormatSettings | None = None
    labels: FileFormatSettings | None = None

    def of(self, purpose: FormatPurpose) -> FileFormatSettings:
        """Return what is stated about files of a purpose."""
        common = FileFormatSettings(
            **{field.name: getattr(self, field.name) for field in fields(FileFormatSettings)}
        )
        if purpose == "inference":
            common = replace(common, ignore_errors=None)
        own = getattr(self, purpose)
        if own is None:
            return common
        stated = {field.name: getattr(own, field.name) for field in fields(own)}
        return replace(common, **{key: value for key, value in stated.items() if value is not None})


def format_keys() -> frozenset[str]:
    """Return every key that `[format.<purpose>]` may have."""
    return frozenset(field.name for field in fields(FileFormatSettings))


def check_format(table: Mapping[str, Any], where: str = "format") -> dict[str, Any]:
    """Return the values of `[format]` or of one of its purposes, refusing what cannot be meant.

    The keys are known already.

    Raises
    ------
    SettingsError
        If a key of a purpose's table is unknown, a value is impossible, or two contradict each other.
    """
    values = {key: value for key, value in table.items() if value is not None}
    for purpose in get_args(FormatPurpose):
        if purpose in values:
            own = f"{where}.{purpose}"
            refuse_unknown(table_of(own, values[purpose]), format_keys(), f"{own}.")
            values[purpose] = check_format(values[purpose], own)
    for key in _TEXTS:
        if not isinstance(values.get(key, ""), str):
            raise SettingsError(f"{where}.{key} must be a text, not {values[key]!r}.")
    for key in _ONE_CHARACTER:
        may_be_empty = key == "quote"
        if key in values and len(values[key]) != 1 and not (may_be_empty and values[key] == ""):
            raise SettingsError(f"{where}.{key} must be one character, not {values[key]!r}.")
    comment = values.get("comment", "")
    if len(comment) > LONGEST_COMMENT or not comment.isprintable():
        raise SettingsError(f"{where}.comment must be at most {LONGEST_COMMENT} characters that can be seen.")
    _check_choices(where, values)
    skip = values.get("skip", 0)
    if not isinstance(skip, int) or isinstance(skip, bool) or not 0 <= skip <= _MAX_SKIPPED_LINES:
        raise SettingsError(
            f"{where}.skip must be a whole number from 0 to {_MAX_SKIPPED_LINES}, not {skip!r}."
        )
    if "nullstr" in values:
        values["nullstr"] = _texts(f"{where}.nullstr", values["nullstr"])
    if "names" in values:
        values["names"] = _names(f"{where}.names", values["names"])
    if "encoding" in values:
        _check_encoding(where, values["encoding"])
    _refuse_equal_characters(where, values)
    return values


def _check_choices(where: str, values: Mapping[str, Any]) -> None:
    for key in _CHOICES:
        if not isinstance(values.get(key, True), bool):
            raise SettingsError(f"{where}.{key} must be true or false, not {values[key]!r}.")
    if where == "format.inference" and values.get("ignore_errors"):
        reason = "each row of a file to score gets an answer"
        raise SettingsError(f"{where}.ignore_errors is not possible: {reason}.")


def _texts(where: str, value: Any) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise SettingsError(f"{where} must be a text or a list of texts, not {value!r}.")
    return list(texts)


def _names(where: str, value: Any) -> list[str]:
    names = [name.strip() for name in _texts(where, value)]
    if not names or not all(names):
        raise SettingsError(f"{where} must name every column.")
    if len(set(names)) < len(names):
        raise SettingsError(f"{where} must not name a column twice.")
    return names


def _check_encoding(where: str, name: str) -> None:
    try:
        "".encode(name)  # also refuses codecs that are not of text, such as `hex`
    except (LookupError, ValueError) as error:
        raise SettingsError(
            f"{where}.encoding {name!r} is not known. Examples: utf-8, cp1252, cp1251, gb18030."
        ) from error


def _refuse_equal_characters(where: str, values: Mapping[str, Any]) -> None:
    pairs = [
        ("delim", "quote"),
        ("delim", "comment"),
        ("decimal_separator", "thousands"),
        ("quote", "comment"),
        ("quote", "escape"),
        ("delim", "escape"),
    ]
    for one, other in pairs:
        if values.get(one) and values.get(one) == values.get(other):
            raise SettingsError(f"{where}: {one} and {other} must not be the same character.")
