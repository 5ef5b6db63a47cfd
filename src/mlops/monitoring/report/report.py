"""The drift report as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.models.drift.contributions import ContributionChange
from mlops.models.drift.report import DriftReport, DriftVerdict, FeatureDrift
from mlops.monitoring.profiles.segments import MAX_SEGMENTS
from mlops.monitoring.report.report_plots import plot
from mlops.monitoring.report.report_text import (
    arrivals_line,
    changes_of_inputs,
    drift_score_text,
    facts_line,
    headline,
    render_text,
    unattached_anomalies,
)
from mlops.monitoring.verdict.causes import (
    LIMITS,
    NO_CAUSE,
    change_sentence,
    effects_of,
    likely_causes,
    multivariate_sentence,
    signed,
)
from mlops.monitoring.verdict.reference import reference_rows
from mlops.pages.number_format import arrows, number, p_value, percent
from mlops.pages.rendering import render as render_page

__all__ = ["render", "render_text"]

_MAX_REASONS = 10
_BADGES: dict[DriftVerdict, str] = {
    "OK": "no change",
    "WARN": "changed",
    "ALERT": "changed a lot",
    "INSUFFICIENT_DATA": "too few rows",
}


def render(report: DriftReport, *, title: str = "Drift report") -> str:
    """Return the page: the summary first, then every feature that moved with its plot, then the rest."""
    moved = [feature for feature in report.features.values() if feature.has_drift]
    change = report.prediction_change
    return render_page(
        "drift_report",
        report=report,
        heading=f"{title}: {report.model_group}" if report.model_group else title,
        headline=headline(report),
        facts_line=facts_line(report),
        compared_rows=reference_rows(report),
        compared_outputs=reference_rows(report) if report.earlier_weeks else "held-out rows",
        arrivals_line=arrivals_line(report),
        tiles=_tiles(report, len(moved)),
        badges=_BADGES,
        is_judged=report.verdict != "INSUFFICIENT_DATA",
        outputs=report.predictions.values(),
        causes=likely_causes(report),
        limits_of_causes=LIMITS,
        change=change and change_sentence(change),
        effects=effects_of(change) if change else (),
        no_cause=NO_CAUSE if report.predictions_with_drift and not changes_of_inputs(report) else "",
        moved=moved,
        calm=[feature for feature in report.features.values() if not feature.has_drift],
        anomalies=unattached_anomalies(report),
        in_segments=report.changes_in_segments,
        segment_limit=MAX_SEGMENTS,
        reasons_of_predictions=_reasons(report),
        multivariate=multivariate_sentence(report.multivariate) if report.multivariate else "",
        change_of=_change,
        signed=signed,
        numbers_of=_numbers,
        psi_text=_psi,
        plot=plot,
    )


def _tiles(report: DriftReport, n_moved: int) -> tuple[tuple[str, str, str], ...]:
    limits = f"0 = same, {report.threshold:g} warns, {report.alert_threshold:g} alerts"
    limits += "" if report.alert_threshold > 1.0 else ", at most 1; within the range of the verdict"
    is_judged = report.verdict != "INSUFFICIENT_DATA"
    return (
        ("Drift score", drift_score_text(report), limits),
        (
            "Features changed",
            f"{n_moved} of {len(report.features)}" if is_judged else "-",
            "large and significant",
        ),
        *_prediction_tile(report, limits),
        *_reasons_tile(report),
        (
            "Rows now",
            f"{report.n_rows:,}",
            f"{report.n_rows_baseline:,} {'in earlier weeks' if report.earlier_weeks else 'at training'}",
        ),
    )


def _prediction_tile(report: DriftReport, limits: str) -> Iterator[tuple[str, str, str]]:
    if report.prediction_drift_score is not None:
        is_judged = report.prediction_verdict != "INSUFFICIENT_DATA"
        yield "Drift of predictions", f"{report.prediction_drift_score:.2f}" if is_judged else "-", limits


def _reasons_tile(report: DriftReport) -> Iterator[tuple[str, str, str]]:
    if report.contributions is not None:
        score = report.reason_drift_score
        limits = f"0 = same, {report.threshold:g} warns"
        yield "Drift of reasons", "-" if score is None else f"{score:.2f}", limits


def _reasons(report: DriftReport) -> tuple[ContributionChange, ...]:
    """Return the columns whose share in the reasons changed, and the largest others, ten in all."""
    changes = report.contributions.columns if report.contributions else ()
    largest = sorted(changes, key=lambda each: (not each.has_drift, -max(each.share_before, each.share_now)))
    return tuple(largest[:_MAX_REASONS])


def _change(feature: FeatureDrift) -> str:
    """Return what happened to the feature, without its name."""
    return arrows(feature.description.removeprefix(f"{feature.name}: "))


def _psi(feature: FeatureDrift) -> str:
    """Write the index up to 1; above, the values hardly overlap and its size says no more."""
    return "> 1" if feature.psi > 1.0 else f"{feature.psi:.3f}"


def _numbers(feature: FeatureDrift) -> Iterator[tuple[str, str]]:
    if feature.compared:
        yield "Compared", feature.compared
    yield "PSI", _psi(feature)
    yield "PSI by chance", f"{feature.psi_by_chance:.3f}"
    yield "q-value", p_value(feature.q_value)
    if feature.kind == "categorical":
        yield "Cramer's V", f"{feature.cramers_v:.3f}"
    yield "Jensen-Shannon", f"{feature.jensen_shannon:.3f}"
    if feature.ks is not None:
        yield "KS", f"{feature.ks:.3f}"
    if feature.wasserstein is not None:
        yield "Wasserstein / sd", number(feature.wasserstein)
    before, now = feature.missing_share_reference, feature.missing_share_current
    if before or now:
        yield "Missing", f"{percent(before)} → {percent(now)}"
    if feature.importance is not None:
        yield "Importance", number(feature.importance)
