"""The table of scores on a model card."""

from __future__ import annotations

from html import escape

from mlops.models.training import ChampionComparison, EvaluationMetrics, MetricComparison
from mlops.pages.number_format import number, rows

_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "f1_macro": "F1, mean of classes",
    "precision": "Precision",
    "recall": "Recall",
    "roc_auc": "ROC-AUC",
    "roc_auc_ovr": "ROC-AUC, mean of classes",
    "average_precision": "Average precision",
    "neg_log_loss": "Log loss",
    "neg_brier_score": "Brier score",
    "r2": "R²",
    "neg_mean_absolute_error": "Mean absolute error",
    "neg_root_mean_squared_error": "Root mean squared error",
    "neg_median_absolute_error": "Median absolute error",
    "neg_absolute_error_q80": "Error that 80 % stay within",
    "neg_absolute_error_q95": "Error that 95 % stay within",
}


def scores_section(metrics: EvaluationMetrics, comparison: ChampionComparison | None) -> str:
    """Return the section of the scores, beside a guess and the champion where there is one."""
    has_champion = comparison is not None and comparison.comparable
    head = '<th>Score</th><th class="num">This model</th><th class="num">95 % interval</th>'
    head += '<th class="num">A guess</th>'
    if comparison is not None and has_champion:
        version = escape(comparison.champion_version or "Champion")
        head += f'<th class="num">{version}</th><th class="num">Better by</th>'
    lines = "".join(
        _score_row(name, metrics, comparison if has_champion else None) for name in metrics.values()
    )
    why = ""
    if comparison is not None and not comparison.comparable and comparison.reason:
        why = f'<p class="aside">Not compared with the champion: {escape(comparison.reason)}</p>'
    return f"""<section><h2>Scores on {rows(metrics.n_rows)} held out</h2>{why}
<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div></section>"""


def _score_row(name: str, metrics: EvaluationMetrics, comparison: ChampionComparison | None) -> str:
    value = metrics.values()[name]
    cells = [score_text(name, value), _interval(name, metrics.intervals.get(name))]
    cells.append(score_text(name, metrics.dummy[name]) if name in metrics.dummy else "")
    if comparison is not None:
        of_name = comparison.metrics.get(name)
        cells.append("" if of_name is None else score_text(name, of_name.champion))
        cells.append("" if of_name is None else _better_by(of_name))
    numbers = "".join(f'<td class="num">{escape(cell)}</td>' for cell in cells)
    css = ' class="primary"' if name == metrics.primary else ""
    hint = '<span class="aside"> lower is better</span>' if name.startswith("neg_") else ""
    return f"<tr{css}><th scope='row'>{escape(score_name(name))}{hint}</th>{numbers}</tr>"


def score_name(score: str) -> str:
    """Return what people call a score."""
    return _NAMES.get(score, score)


def score_text(score: str, value: float) -> str:
    """Write a score for people: errors without their minus."""
    shown = -value if score.startswith("neg_") else value
    return f"{shown + 0.0:.3f}".replace("-0.000", "0.000") if abs(shown) < 100.0 else number(shown)


def _interval(score: str, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return ""
    low, high = interval if not score.startswith("neg_") else (interval[1], interval[0])
    return f"{score_text(score, low)} to {score_text(score, high)}"


def _better_by(pair: MetricComparison) -> str:
    difference, low, high = (
        f"{value:+.3f}" if abs(value) < 100.0 else f"{value:+,.0f}"
        for value in (pair.difference, *pair.interval)
    )
    return f"{difference} ({low} to {high})"
