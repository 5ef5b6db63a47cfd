"""Environment variables of a handler, as one frozen dataclass per handler."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import get_type_hints

from mlops.models.errors import SettingsError


def read[T](cls: type[T], variables: Mapping[str, str] | None = None) -> T:
    """Fill a dataclass of `str`, `int` and `float` fields from the variables of the same names in capitals.

    Raises
    ------
    SettingsError
        If a variable without a default is not set, or is not a number where one is declared.
    """
    available = os.environ if variables is None else variables
    hints = get_type_hints(cls)
    values = {}
    for field in fields(cls):  # type: ignore[arg-type]
        name = field.name.upper()
        if name in available:
            values[field.name] = _convert(name, available[name], hints[field.name])
        elif field.default is MISSING:
            raise SettingsError(f"The environment variable {name} is not set.")
    return cls(**values)


def _convert(name: str, text: str, kind: type) -> object:
    try:
        return kind(text)
    except ValueError as error:
        raise SettingsError(
            f"The environment variable {name} must be {kind.__name__}, not {text!r}."
        ) from error
