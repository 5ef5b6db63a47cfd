"""The model card: one version's quality, data and settings as one self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from html import escape

from mlops.models.evaluation import EvaluationDetails
from mlops.models.training import EvaluationMetrics, TrainingResult
from mlops.monitoring.report_style import STYLE
from mlops.monitoring.wording import rows
from mlops.pipelines import model_card_plots as plots
from mlops.pipelines.gate import judge
from mlops.pipelines.model_card_scores import score_name, score_text, scores_section
from mlops.pipelines.model_card_style import CARD_STYLE

_MOST_IMPORTANT = 12


def render_card(
    result: TrainingResult, details: EvaluationDetails, *, group: str | None, created_at: datetime
) -> str:
    """Return the page.

    Parameters
    ----------
    result
        What the training produced.
    details
        Curves and slices of the held-out rows.
    group
        The model group, for the heading.
    created_at
        When it was trained.
    """
    heading = f"Model card: {group}" if group else f"Model card: {result.target}"
    sections = (
        _header(result, heading, created_at),
        _tiles(result),
        _notes(result),
        scores_section(result.metrics, result.comparison),
        _curves(result, details),
        _looks(result, details),
        _data(result),
        _settings(result),
        _reading(result.metrics),
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(heading)}</title>
<style>{STYLE}{CARD_STYLE}</style>
</head>
<body>
<main>
{"".join(section for section in sections if section)}
</main>
</body>
</html>
"""


def _header(result: TrainingResult, heading: str, created_at: datetime) -> str:
    gate = judge(result.metrics, result.comparison, result.settings.gate)
    said = "Passes its gate." if gate.passed else "Below its gate."
    facts = f"{result.algorithm}, predicts {result.target}, trained {created_at:%Y-%m-%d %H:%M} UTC"
    return f"""<header>
<p class="eyebrow">{escape(facts)}</p>
<h1>{escape(heading)}</h1>
<div class="verdict {"OK" if gate.passed else "ALERT"}" role="status"><strong>{said}</strong>
<span>{escape(" ".join(gate.reasons))}</span></div>
</header>"""


def _tiles(result: TrainingResult) -> str:
    metrics, tiles = result.metrics, []
    primary = metrics.primary or ""
    score = metrics.values().get(primary)
    if score is not None:
        low, high = metrics.intervals.get(primary, (score, score))
        tiles.append(
            (score_name(primary), score_text(primary, score), f"95 % interval {low:.3f} to {high:.3f}")
        )
    if primary in metrics.dummy:
        tiles.append(("A guess reaches", score_text(primary, metrics.dummy[primary]), "knowing no feature"))
    held_out = f"held out: {result.n_rows_test:,}"
    tiles.append(("Rows to train on", f"{result.n_rows_train:,}", held_out))
    took = "" if result.duration_seconds is None else f"trained in {result.duration_seconds:.1f} s"
    tiles.append(("Features", f"{len(result.features):,}", took))
    cells = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd><p>{escape(note)}</p></div>'
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _notes(result: TrainingResult) -> str:
    if not result.warnings:
        return ""
    lines = "".join(f"<li>{escape(warning)}</li>" for warning in result.warnings)
    return f'<section><h2>To know</h2><ol class="changes">{lines}</ol></section>'


def _curves(result: TrainingResult, details: EvaluationDetails) -> str:
    metrics, cards = result.metrics, []
    if details.roc:
        roc = plots.curves(
            details.roc, x="false positive rate", y="true positive rate", name="ROC curve", has_chance=True
        )
        cards.append(_card("ROC curve", "Higher is better; the dashed line is a guess.", roc))
        precision = plots.curves(
            details.precision_recall, x="recall", y="precision", name="Precision and recall", has_chance=False
        )
        cards.append(
            _card(
                "Precision and recall", "How many are found, and how many of the found are right.", precision
            )
        )
    if details.calibration:
        note = "On the dashed line, predictions come true as often as they say."
        if result.task == "regression":
            note = "Mean of what came true by tenth of the predictions; best on the dashed line."
        plot = plots.calibration(details.calibration, is_regression=result.task == "regression")
        cards.append(_card("Calibration", note, plot))
    if details.sample:
        note = f"{len(details.sample)} held-out rows; far-off ones lie at the edge."
        cards.append(_card("True against predicted", note, plots.scatter(details.sample)))
    if matrix := plots.confusion(metrics.confusion_matrix, metrics.labels) if metrics.labels else "":
        note = "Rows are the truth, columns the prediction; the shade is the share of the row."
        if metrics.threshold is not None:
            note += f" {metrics.positive_label} is said from a probability of {metrics.threshold:.3f} on."
        cards.append(_card("Confusion matrix", note, matrix, is_wide=len(metrics.labels) > 8))
    if not cards:
        return ""
    grid = f'<div class="plots">{"".join(cards)}</div>'
    return f"<section><h2>How it errs</h2>{_legend(details.roc)}{grid}</section>"


def _card(title: str, note: str, plot: str, *, is_wide: bool = False) -> str:
    body = f"<h3>{escape(title)}</h3><p>{escape(note)}</p>{plot}"
    return f'<article class="card{" wide" if is_wide else ""}">{body}</article>'


def _legend(points: Mapping[str, object]) -> str:
    if len(points) < 2:
        return ""
    keys = "".join(
        f'<span class="entry"><span class="key swatch c{place}"></span>{escape(label)}</span>'
        for place, label in enumerate(points)
    )
    return f'<p class="legend">Curves of the most frequent classes: {keys}</p>'


def _looks(result: TrainingResult, details: EvaluationDetails) -> str:
    cards = _importance(result.feature_importance) + _slices(result.metrics, details)
    heading = "What it looks at, and where it is worst"
    return f'<section><h2>{heading}</h2><div class="plots">{cards}</div></section>' if cards else ""


def _importance(importance: Mapping[str, float]) -> str:
    shown = dict(list(importance.items())[:_MOST_IMPORTANT])
    if not any(shown.values()):
        return ""
    rest = len(importance) - len(shown)
    note = "What the model's main score loses when a column is shuffled."
    note += f" {rest} further columns matter less." if rest else ""
    plot = plots.bars(shown, name="Importance of the features")
    return _card("Importance", note, plot)


def _slices(metrics: EvaluationMetrics, details: EvaluationDetails) -> str:
    overall = metrics.values().get(metrics.primary or "")
    if not details.slices or overall is None:
        return ""
    name = score_name(metrics.primary or "")
    note = (
        f"{name} of the rows in which it is lowest, with 95 % intervals; the line is all rows "
        f"({overall:.3f}). The lowest of many are partly so by chance."
    )
    plot = plots.slices(details.slices, overall)
    sizes = "".join(
        f"<tr><th scope='row'>{escape(entry.column)}: {escape(entry.value)}</th>"
        f'<td class="num">{entry.n_rows:,}</td><td class="num">{entry.score:.3f}</td></tr>'
        for entry in details.slices
    )
    table = (
        f'<details><summary>Rows per slice</summary><div class="scroll"><table><tbody>{sizes}</tbody></table>'
        "</div></details>"
    )
    return _card("Worst slices", note, plot + table)


def _data(result: TrainingResult) -> str:
    entries = [
        ("Dataset (SHA-256)", result.dataset_digest),
        (
            "Held out",
            f"{result.split}; {rows(result.n_rows_test)} of {result.n_rows_train + result.n_rows_test:,}",
        ),
        ("Target", f"{result.target} ({result.task})"),
        ("Features", ", ".join(result.features[:60]) + (", ..." if len(result.features) > 60 else "")),
    ]
    dropped = "".join(
        f"<li><b>{escape(name)}</b>: {escape(why)}</li>"
        for name, why in list(result.dropped_columns.items())[:100]
    )
    summary = f"<summary>Columns left out ({len(result.dropped_columns)})</summary>"
    left_out = f"<details>{summary}<ul>{dropped}</ul></details>"
    return f"<section><h2>Data</h2>{_table(entries)}{left_out if dropped else ''}</section>"


def _settings(result: TrainingResult) -> str:
    chosen = ", ".join(f"{name} {score:.4f}" for name, score in result.contenders.items())
    entries = [("Algorithm", result.algorithm)]
    if chosen:
        entries.append(("Chosen by", f"{result.metrics.primary} out of fold: {chosen}"))
    entries += [(name, _plain(value)) for name, value in sorted(result.hyperparameters.items())]
    entries.append(("Seed", str(result.settings.seed)))
    versions = ", ".join(f"{name} {version}" for name, version in result.library_versions.items())
    entries.append(("Made with", versions))
    return f"<section><h2>Settings</h2>{_table(entries)}</section>"


def _reading(metrics: EvaluationMetrics) -> str:
    intervals = (
        "Intervals are 95 % bootstrap intervals over persons, groups or rows: how far a score would move "
        "with other held-out rows of the same kind."
    )
    guess = "“A guess” is a model that knows only how the target is spread in the training rows."
    return (
        f'<section class="reading"><h2>How to read this</h2><p>{intervals} {guess}</p>'
        f"<p>All of it is measured on {rows(metrics.n_rows)} that the model has not seen; algorithm and "
        "threshold were chosen without them.</p></section>"
    )


def _table(entries: list[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in entries
    )
    return f'<div class="scroll"><table class="facts"><tbody>{lines}</tbody></table></div>'


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
