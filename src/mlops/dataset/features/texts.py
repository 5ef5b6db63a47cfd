"""The number of words of a text: a feature, and the one by which drift of the texts is watched."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from mlops.dataset.table.values import distinct_values
from mlops.models.errors import DatasetError

MAX_WORDS = 500  # of one text; what follows is not read
_WORD = re.compile(r"\w\w+")
_MAX_CHARACTERS = 20 * MAX_WORDS


def words_of(text: str) -> list[str]:
    """Return the first 500 words of two or more characters, in lower case."""
    return _WORD.findall(text[:_MAX_CHARACTERS].lower())[:MAX_WORDS]


def numbers_of_words(frame: pd.DataFrame, names: Collection[str]) -> dict[str, np.ndarray]:
    """Return the feature `<text>_words` of each column of texts; a missing text has no number.

    Raises
    ------
    DatasetError
        If a column is absent.
    """
    if missing := [name for name in names if name not in frame.columns]:
        raise DatasetError(f"The file lacks columns that the model needs: {', '.join(missing)}.")
    numbers = {}
    for name in names:
        codes, values = distinct_values(frame[name])
        counts = [float(len(words_of(str(value)))) for value in values]
        numbers[words_name(name)] = np.array([*counts, np.nan])[codes]  # the code of a missing one is -1
    return numbers


def words_name(column: str) -> str:
    """Return the name of the feature that the number of words of a text becomes."""
    return f"{column}_words"
