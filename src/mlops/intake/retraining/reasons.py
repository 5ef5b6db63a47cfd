"""Why a group should be trained again: what is known of its champion, against its settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mlops.models.metrics import describe_metric
from mlops.models.registry import ModelMetadata
from mlops.models.scoring.quality import QualityReport
from mlops.models.settings.retrain import WEEKDAYS, RetrainSettings
from mlops.monitoring.alert_state import AlertState
from mlops.monitoring.quality.quality_state import QualityState


@dataclass(frozen=True, slots=True)
class ChampionFacts:
    """What is known of a champion: the state of its drift alert, and its quality as measured last."""

    champion: ModelMetadata
    drift: AlertState | None
    quality: QualityState
    quality_report: QualityReport | None


def find_reasons(facts: ChampionFacts, retrain: RetrainSettings, now: datetime) -> Iterator[str]:
    """Yield the reasons that are known without counting rows, each as a sentence."""
    champion = facts.champion
    if "quality" in retrain.on:
        yield from _of_quality(facts)
    if "drift" in retrain.on and facts.drift is not None:
        drift = facts.drift
        if drift.is_alarming and drift.model_version == champion.version:
            since = f" since {drift.alert_since}" if drift.alert_since else ""
            yield f"The drift alert is on{since}."
    age_days = (now - champion.created_at).days
    if retrain.max_age_days is not None and age_days >= retrain.max_age_days:
        yield f"{champion.version} is {age_days} days old; max_age_days is {retrain.max_age_days}."


def reason_of_labels(n_labelled: int, retrain: RetrainSettings) -> Iterator[str]:
    """Yield the reason that enough labelled rows came; `n_labelled` are those new to the champion."""
    if retrain.new_labels is not None and n_labelled >= retrain.new_labels:
        yield f"{n_labelled:,} labelled rows are new to the champion; new_labels is {retrain.new_labels:,}."


def is_allowed_day(retrain: RetrainSettings, now: datetime) -> bool:
    """Return whether a retraining may be proposed or started on this day."""
    return not retrain.weekdays or WEEKDAYS[now.weekday()] in retrain.weekdays


def _of_quality(facts: ChampionFacts) -> Iterator[str]:
    report, version = facts.quality_report, facts.champion.version
    if not facts.quality.is_dropped or report is None or report.model_version != version:
        return
    part = next(iter(report.dropped), report.overall)
    score, approved = part.scores.get(report.metric), part.approved
    if score is None or approved is None:
        yield f"The quality of {version} dropped below its approved score."
        return
    where = "" if part.kind == "overall" else f" on {part.name}"
    yield (
        f"The quality dropped{where}: {describe_metric(report.metric, score.value)} over "
        f"{part.n_labels:,} labels, approved with {describe_metric(report.metric, approved.value)}."
    )
