"""What models predict of training rows that they have not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops.pipelines.artifacts.model import Scores


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Training rows that were judged, and what models predict for them that were fitted without them."""

    y: np.ndarray
    scores: Scores
