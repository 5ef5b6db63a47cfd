"""What is known of a candidate from shadow scoring: agreement with the champion, and quality beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class ShadowPart(Record):
    """Rows that both models scored: all of a batch, or those with something in common.

    `n_differing` have another prediction; `difference_sum` is the sum of the absolute differences of numbers,
    0 for classes.
    """

    n_rows: int = 0
    n_differing: int = 0
    difference_sum: float = 0.0

    def __add__(self, other: ShadowPart) -> ShadowPart:
        """Return both together."""
        return ShadowPart(
            self.n_rows + other.n_rows,
            self.n_differing + other.n_differing,
            self.difference_sum + other.difference_sum,
        )

    @property
    def differing_share(self) -> float:
        """The share of the rows with another prediction, 0..1; 0 without rows."""
        return self.n_differing / self.n_rows if self.n_rows else 0.0

    @property
    def mean_difference(self) -> float:
        """The mean absolute difference of numbers; 0 without rows."""
        return self.difference_sum / self.n_rows if self.n_rows else 0.0


@dataclass(frozen=True, slots=True)
class ShadowAgreement(Record):
    """How the predictions of a candidate agree with those of the champion, in one batch or in several.

    `parts` are rows by what they have in common, `changes` are counts of `class of the champion -> class of
    the candidate`. `n_only_champion` and `n_only_candidate` count rows that only one of them could score.
    `skipped` counts batches that were not scored in shadow, by the reason; none of their rows is counted.
    """

    is_number: bool = False
    n_batches: int = 0
    total: ShadowPart = field(default_factory=ShadowPart)
    parts: Mapping[str, ShadowPart] = field(default_factory=dict)
    changes: Mapping[str, int] = field(default_factory=dict)
    n_only_champion: int = 0
    n_only_candidate: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: ShadowAgreement) -> ShadowAgreement:
        """Return both together."""
        names = dict.fromkeys((*self.parts, *other.parts))
        nothing = ShadowPart()
        return ShadowAgreement(
            self.is_number or other.is_number,
            self.n_batches + other.n_batches,
            self.total + other.total,
            {name: self.parts.get(name, nothing) + other.parts.get(name, nothing) for name in names},
            dict(Counter(self.changes) + Counter(other.changes)),
            self.n_only_champion + other.n_only_champion,
            self.n_only_candidate + other.n_only_candidate,
            dict(Counter(self.skipped) + Counter(other.skipped)),
        )


@dataclass(frozen=True, slots=True)
class ShadowBatch(Record):
    """The agreement in one batch, and which versions were compared; stored once for a batch and candidate."""

    group: str
    batch_id: str
    champion_version: str
    version: str
    agreement: ShadowAgreement


@dataclass(frozen=True, slots=True)
class ShadowQuality(Record):
    """Both versions on the same rows that have a label.

    For classes `champion` and `candidate` are shares of right predictions (0..1, higher is better); for
    numbers, mean absolute errors (lower is better).
    """

    champion_version: str
    version: str
    is_number: bool
    n_labels: int
    champion: float
    candidate: float
