"""The table `[quality]` of `model.toml`: how predictions are compared with the outcomes that came later."""

from __future__ import annotations

from dataclasses import dataclass

from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class QualitySettings(Record):
    """When realised quality is judged.

    A part of the predictions (a period, a segment) is judged from `min_labels` labels on. Predictions of the
    last `window_days` days are looked at. Those that are younger than `label_delay_days` are shown and not
    judged, because outcomes that are known early may differ from the rest; None derives the delay from the
    labels that came.
    """

    min_labels: int = 100
    window_days: int = 90
    label_delay_days: int | None = None
