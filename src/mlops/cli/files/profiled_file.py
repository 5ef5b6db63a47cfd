"""The profile of a file and some of its rows, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mlops.dataset.validation.reading import use_pieces
from mlops.models.dataset import Contract
from mlops.models.drift.profiles import BaselineStatistics, BatchProfile
from mlops.models.settings.group import GroupSettings
from mlops.monitoring.profiles.batch import empty_batch, merge, profile_batch
from mlops.pipelines.artifacts.model import ModelSchema, with_made_features


@dataclass(frozen=True, slots=True)
class ProfiledFile:
    """What was counted in the rows of a file, and rows drawn at random, in the order of the file."""

    profile: BatchProfile
    rows: pd.DataFrame


@dataclass(frozen=True, slots=True)
class ComparedFile:
    """A file that is compared with a baseline, read as one to score.

    `schema` is that of the model, None where it is unknown.
    """

    path: Path
    baseline: BaselineStatistics
    settings: GroupSettings
    schema: ModelSchema | None

    def profile(self, max_rows: int, rng: np.random.Generator) -> ProfiledFile:
        """Count the rows, and draw at most so many of them.

        Raises
        ------
        DatasetError
            If the file cannot be read as a table.
        """

        def profiled(frames: Iterable[pd.DataFrame]) -> ProfiledFile:
            profile, drawn = empty_batch(self.baseline), _DrawnRows(max_rows, rng)
            for frame in frames:
                profile = merge(profile, profile_batch(frame, self.baseline))
                drawn.add(frame)
            return ProfiledFile(profile, drawn.rows)

        return self._use_frames(profiled)

    def draw(self, max_rows: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return the rows that `profile` would draw, without counting any.

        Raises
        ------
        DatasetError
            As `profile`.
        """

        def drawn(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
            rows = _DrawnRows(max_rows, rng)
            for frame in frames:
                rows.add(frame)
            return rows.rows

        return self._use_frames(drawn)

    def _use_frames[T](self, use: Callable[[Iterable[pd.DataFrame]], T]) -> T:
        """Hand the rows to `use` in pieces, with the features that are made of dates and texts."""
        schema = self.schema
        kinds: Contract | dict[str, str]
        if schema is None or schema.contract is None:
            features = self.baseline.features.values()
            kinds = {each.name: "category" for each in features if each.kind == "categorical"}
        else:
            kinds = schema.contract

        def made(piece: pd.DataFrame) -> pd.DataFrame:
            return piece if schema is None else with_made_features(piece, schema, may_lack_columns=True)

        return use_pieces(self.path, kinds, self.settings, lambda pieces: use(map(made, pieces)))


class _DrawnRows:
    """Rows drawn from pieces of a table, each with the same chance: those of the smallest random numbers."""

    def __init__(self, max_rows: int, rng: np.random.Generator) -> None:
        self._max_rows, self._rng = max_rows, rng
        self._parts: list[pd.DataFrame] = []
        self._numbers = np.empty(0)

    def add(self, piece: pd.DataFrame) -> None:
        """Keep those rows of a piece that may be drawn: they are fewer with every piece."""
        numbers = self._rng.random(len(piece))
        if len(self._numbers) >= self._max_rows:
            places = np.flatnonzero(
                numbers < np.partition(self._numbers, self._max_rows - 1)[self._max_rows - 1]
            )
        else:
            places = np.arange(len(piece))
        self._numbers = np.append(self._numbers, numbers[places])
        # texts, since the categories of a piece would keep all of its texts
        texts = dict.fromkeys(piece.select_dtypes("category"), object)
        self._parts.append(piece.iloc[places].astype(texts))

    @property
    def rows(self) -> pd.DataFrame:
        """The rows that were drawn, in the order of the table."""
        rows = pd.concat(self._parts) if self._parts else pd.DataFrame()
        if len(rows) <= self._max_rows:
            return rows
        return rows.iloc[np.sort(np.argpartition(self._numbers, self._max_rows)[: self._max_rows])]
