"""The drift report as one self-contained HTML page: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from html import escape

from mlops.models.drift import DriftReport, DriftVerdict, FeatureDrift
from mlops.monitoring.report.report_plots import plot
from mlops.monitoring.report.report_text import HEADLINES, facts_line, render_text, unattached_anomalies
from mlops.pages.number_format import number, percent
from mlops.pages.page import page
from mlops.pages.report_style import REPORT_STYLE

__all__ = ["render", "render_text"]

_BADGES: dict[DriftVerdict, str] = {
    "OK": "no change",
    "WARN": "changed",
    "ALERT": "changed a lot",
    "INSUFFICIENT_DATA": "too few rows",
}


def render(report: DriftReport, *, title: str = "Drift report") -> str:
    """Return the page: the summary first, then every feature that moved with its plot, then the rest."""
    moved = [feature for feature in report.features.values() if feature.has_drift]
    calm = [feature for feature in report.features.values() if not feature.has_drift]
    heading = f"{title}: {report.model_group}" if report.model_group else title
    content = f"""{_header(report, heading)}
{_summary(report, moved)}
{_moved_section(moved)}
{_calm_section(calm)}
{_excluded_section(report)}
{_reading_section(report)}"""
    return page(heading, content, REPORT_STYLE)


def _header(report: DriftReport, heading: str) -> str:
    reasons = "; ".join(report.reasons)
    return f"""<header>
<p class="eyebrow">{escape(facts_line(report))}</p>
<h1>{escape(heading)}</h1>
<div class="verdict {report.verdict}" role="status">
<strong>{escape(HEADLINES[report.verdict])}</strong>
<span>{_prose(reasons)}</span>
</div>
</header>"""


def _summary(report: DriftReport, moved: list[FeatureDrift]) -> str:
    tiles = [
        (
            "Drift score",
            f"{report.drift_score:.2f}",
            f"0 = same; {report.threshold:g} warns, {report.alert_threshold:g} alerts",
        ),
        ("Features changed", f"{len(moved)} of {len(report.features)}", "large and no accident"),
        ("Rows now", f"{report.n_rows:,}", f"{report.n_rows_baseline:,} at training"),
    ]
    cells = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd><p>{escape(note)}</p></div>'
        for name, value, note in tiles
    )
    return f'<dl class="tiles">{cells}</dl>\n{_what_changed(report, moved)}'


def _what_changed(report: DriftReport, moved: list[FeatureDrift]) -> str:
    lines = [f"<li>{_badge(feature.verdict)} {_description(feature)}</li>" for feature in moved]
    lines += [f"<li>{_badge(a.verdict)} {_prose(a.message)}</li>" for a in unattached_anomalies(report)]
    if not lines:
        return ""
    return f'<section><h2>What changed</h2>\n<ol class="changes">{"".join(lines)}</ol></section>'


def _moved_section(moved: list[FeatureDrift]) -> str:
    if not moved:
        return ""
    cards = "\n".join(_card(feature) for feature in moved)
    legend = (
        '<p class="legend"><span class="key reference"></span> training rows '
        '<span class="key current"></span> rows now</p>'
    )
    return f"<section><h2>Then and now</h2>{legend}\n<div class='cards'>{cards}</div></section>"


def _card(feature: FeatureDrift) -> str:
    change = feature.description.removeprefix(f"{feature.name}: ")
    return f"""<article class="card">
<h3>{escape(feature.name)} {_badge(feature.verdict)}</h3>
<p>{_prose(change)}</p>
{plot(feature)}
<dl class="numbers">{_numbers(feature)}</dl>
</article>"""


def _numbers(feature: FeatureDrift) -> str:
    entries = [("PSI", f"{feature.psi:.3f}"), ("q-value", _small(feature.q_value))]
    if feature.kind == "categorical":
        entries.append(("Cramer's V", f"{feature.cramers_v:.3f}"))
    entries.append(("Jensen-Shannon", f"{feature.jensen_shannon:.3f}"))
    if feature.ks is not None:
        entries.append(("KS", f"{feature.ks:.3f}"))
    if feature.wasserstein is not None:
        entries.append(("Wasserstein / sd", number(feature.wasserstein)))
    if feature.missing_share_reference or feature.missing_share_current:
        shift = f"{percent(feature.missing_share_reference)} → {percent(feature.missing_share_current)}"
        entries.append(("Missing", shift))
    if feature.importance is not None:
        entries.append(("Importance", number(feature.importance)))
    return "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in entries)


def _calm_section(calm: list[FeatureDrift]) -> str:
    if not calm:
        return ""
    lines = "".join(
        f"<tr><th scope='row'>{escape(f.name)}</th>"
        f"<td>{_prose(f.description.removeprefix(f'{f.name}: '))}</td><td class='num'>{f.psi:.3f}</td>"
        f"<td class='num'>{_small(f.q_value)}</td></tr>"
        for f in calm
    )
    n = len(calm)
    heading = f"{n} other feature{'' if n == 1 else 's'}"
    return f"""<section><details{" open" if n <= 12 else ""}><summary><h2>{heading}</h2></summary>
<div class="scroll"><table><thead><tr><th>Feature</th><th>Training → now</th><th class="num">PSI</th>
<th class="num">q-value</th></tr></thead><tbody>{lines}</tbody></table></div></details></section>"""


def _excluded_section(report: DriftReport) -> str:
    if not report.excluded:
        return ""
    columns = sorted(report.excluded.items())
    items = "".join(f"<li><b>{escape(name)}</b>: {escape(why)}</li>" for name, why in columns)
    heading = "<summary><h2>Columns not watched</h2></summary>"
    return f"<section><details>{heading}<ul>{items}</ul></details></section>"


def _reading_section(report: DriftReport) -> str:
    return f"""<section class="reading"><h2>How to read this</h2>
<p>The report compares the inputs of the model now with the rows it was trained on. It says that inputs
changed, not that the model is bad: whether predictions suffer shows when true outcomes arrive.</p>
<p>A feature counts as changed when the change is large (PSI from {report.threshold:g}; a lot from
{report.alert_threshold:g}) and no accident (q-value at most 0.05, corrected for the number of features), or
when something about it speaks for itself, such as a new category or missing values. In every statistic 0
means the same and larger means more drift; only of the q-value is a small one the stronger evidence.</p>
<p>Features are ranked by importance for the model times size of the change.</p></section>"""


def _badge(verdict: DriftVerdict) -> str:
    return f'<span class="badge {verdict}">{escape(_BADGES[verdict])}</span>'


def _description(feature: FeatureDrift) -> str:
    change = feature.description.removeprefix(f"{feature.name}: ")
    return f"<b>{escape(feature.name)}</b> {_prose(change)}"


def _prose(text: str) -> str:
    """Escape, and write arrows as print does."""
    return escape(text.replace(" -> ", " → "))


def _small(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
