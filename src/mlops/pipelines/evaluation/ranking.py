"""Rows ranked by a probability, and the areas under the two curves of such a ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows from the highest probability down, in blocks of equal ones."""

    order: np.ndarray
    is_positive: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, is_positive: np.ndarray, probability: np.ndarray) -> Self:
        """Rank rows by the probability that each is positive."""
        order = np.argsort(-probability, kind="stable")
        starts = np.flatnonzero(np.diff(probability[order], prepend=np.inf))
        return cls(order, is_positive[order], starts)

    def both_areas(self, weights: np.ndarray) -> dict[str, float]:
        """Return ROC-AUC and average precision; nothing when only one class has weight."""
        positive, negative = self._blocks(weights)
        n_positive, n_negative = positive.sum(), negative.sum()
        if not n_positive or not n_negative:
            return {}
        above = positive.cumsum()
        area = ((above - positive / 2.0) * negative).sum() / (n_positive * n_negative)
        total = above + negative.cumsum()
        precision = above / np.maximum(total, 1.0)
        return {
            "roc_auc": float(area),
            "average_precision": float((precision * positive).sum() / n_positive),
        }

    def _blocks(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        drawn = weights[self.order]
        positive = np.add.reduceat(drawn * self.is_positive, self.starts)
        return positive, np.add.reduceat(drawn, self.starts) - positive


def area_under_roc(is_positive: np.ndarray, probability: np.ndarray) -> float:
    """Return ROC-AUC of rows of both classes, as scikit-learn has it, without checking the arguments."""
    return Ranking.of(is_positive, probability).both_areas(np.ones(len(probability)))["roc_auc"]
