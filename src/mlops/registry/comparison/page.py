"""Two versions side by side as one self-contained page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from itertools import islice

from mlops.pages.page import page
from mlops.pages.report_style import REPORT_STYLE
from mlops.registry.comparison.comparison import (
    MAX_IMPORTANCES,
    MetricDifference,
    ModelComparison,
    ValuePair,
    metric_cells,
    shown,
)


def render_page(comparison: ModelComparison) -> str:
    """Return the page: scores first, then data, settings, features and importances."""
    heading = f"{comparison.model_group}: {comparison.a} and {comparison.b}"
    importances = dict(islice(comparison.importance.items(), MAX_IMPORTANCES))
    sections = (
        _scores(comparison),
        _section("Data", comparison, _rows(comparison.data), after=_list(comparison.data_changes)),
        _section("Hyperparameters", comparison, _rows(comparison.hyperparameters)),
        _section("Made from", comparison, _rows(comparison.facts)),
        _features(comparison),
        _section("Importance", comparison, _rows(importances, numeric=True)),
    )
    body = "\n".join(section for section in sections if section)
    content = f"""<p class="eyebrow">Model registry</p>
<h1>{escape(heading)}</h1>
{_tiles(comparison)}
{body}"""
    return page(heading, content, REPORT_STYLE + "td,th{overflow-wrap:anywhere}")


def _tiles(comparison: ModelComparison) -> str:
    tiles = ((comparison.a, comparison.statuses.a), (comparison.b, comparison.statuses.b))
    cells = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(shown(status))}</dd></div>'
        for name, status in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _scores(comparison: ModelComparison) -> str:
    rows = [_score_row(name, metric) for name, metric in comparison.metrics.items()]
    more = '<th class="num" scope="col">Difference</th><th class="num" scope="col">95 % interval</th>'
    note = f"<p>{escape(comparison.note)}</p>" if comparison.note else ""
    return _section("Scores (greater is better)", comparison, rows, more_columns=more, after=note)


def _score_row(name: str, metric: MetricDifference) -> str:
    cells = "".join(f'<td class="num">{escape(cell)}</td>' for cell in metric_cells(metric))
    return f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>'


def _rows(pairs: Mapping[str, ValuePair], *, numeric: bool = False) -> list[str]:
    kind = ' class="num"' if numeric else ""
    return [
        f'<tr><th scope="row">{escape(name)}</th>'
        f"<td{kind}>{escape(shown(pair.a))}</td><td{kind}>{escape(shown(pair.b))}</td></tr>"
        for name, pair in pairs.items()
    ]


def _section(
    title: str, comparison: ModelComparison, rows: Iterable[str], *, more_columns: str = "", after: str = ""
) -> str:
    lines = "".join(rows)
    if not lines:
        return ""
    kind = ' class="num"' if "num" in lines else ""
    header = "".join(f'<th{kind} scope="col">{escape(name)}</th>' for name in (comparison.a, comparison.b))
    return (
        f"<section><h2>{title}</h2><div class=scroll><table><thead><tr><td></td>{header}{more_columns}</tr>"
        f"</thead><tbody>{lines}</tbody></table></div>{after}</section>"
    )


def _features(comparison: ModelComparison) -> str:
    if not comparison.features_added and not comparison.features_removed:
        return ""
    new, gone = (
        escape(", ".join(names) or "none")
        for names in (comparison.features_added, comparison.features_removed)
    )
    return f"<section><h2>Features</h2><p>New: {new}</p><p>Left out: {gone}</p></section>"


def _list(sentences: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<ul>{items}</ul>" if items else ""
