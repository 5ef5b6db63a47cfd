"""The tables `[drift]` and `[quality]` of `model.toml`: how inputs, files and outcomes are judged later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from mlops.models.record import Record

DriftReference = Literal["training", "weekday", "season"]


@dataclass(frozen=True, slots=True)
class DriftSettings(Record):
    """When a feature counts as drifted: PSI (and Cramer's V) to warn and to alert, and columns left out.

    `expected_every_days` is the longest time without a file to score that is usual: None takes it from the
    files of the last months, 0 expects none. `reference` is what a night is compared with: the training rows,
    the same weekdays of earlier weeks, or the same weekdays of the same weeks a year earlier.
    """

    threshold: float = 0.1
    alert_threshold: float = 0.2
    exclude_columns: tuple[str, ...] = ()
    expected_every_days: int | None = None
    reference: DriftReference = "training"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; what 0.1 did not have is in it only when it is stated."""
        document = Record.to_dict(self)
        if self.expected_every_days is None:
            del document["expected_every_days"]
        if self.reference == "training":
            del document["reference"]
        return document


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

    def followed(self, approved: QualitySettings) -> tuple[QualitySettings, tuple[str, ...]]:
        """Return what is followed of these settings, and a sentence on each that is not.

        They are beside the data, where everyone who drops files can change them. So they can only be stricter
        than those that were approved with the version: judge from fewer labels on, look at more days, or at
        younger predictions. A delay that is derived from the labels may be longer than any that was approved.
        """
        delay, approved_delay = self.label_delay_days, approved.label_delay_days
        is_longer = delay != approved_delay and (
            delay is None or approved_delay is None or delay > approved_delay
        )
        looser = {
            "min_labels": self.min_labels > approved.min_labels,
            "window_days": self.window_days < approved.window_days,
            "label_delay_days": is_longer,
        }
        kept = {name: getattr(approved, name) for name, is_looser in looser.items() if is_looser}
        sentences = tuple(_not_followed(name, getattr(self, name), value) for name, value in kept.items())
        return replace(self, **kept), sentences


def _not_followed(name: str, stated: int | None, approved: int | None) -> str:
    instead = "none" if approved is None else f"{approved:,}"
    setting = f"quality.{name} = {stated:,}" if stated is not None else f"no quality.{name}"
    return (
        f"Not followed from model.toml: {setting}, because with this version {instead} was approved. It "
        "applies to the next version that is trained with it and approved."
    )
