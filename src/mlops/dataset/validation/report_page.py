"""The report of a validation as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

from mlops.dataset.privacy import shown
from mlops.models.dataset import ColumnSummary, Finding, ValidationReport
from mlops.pages.page import page

_VERDICTS = {
    "accept": ("Accepted", "Nothing stands in the way of using this file."),
    "warn": ("Accepted, with remarks", "The file can be used; please read the remarks."),
    "reject": ("Rejected", "The file was not used. Correct what is listed first and drop it again."),
}
_SEVERITIES = {"reject": "Must be fixed", "warn": "Remark", "info": "RuleFinding"}
_MAX_COLUMNS = 200
_LINES_IN_MESSAGES = 3
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6675;--line:#dfe4ea;--card:#fff;--page:#f4f6f8;
--reject:#b3261e;--warn:#8a5a00;--info:#2b5f9e;--accept:#1d7a46}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#9aa6b5;--line:#323b47;--card:#1b222b;--page:#12171d;
--reject:#ff8a80;--warn:#f0b95a;--info:#82b6f2;--accept:#6fd39c}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{font-size:1.5rem;margin:0 0 .25rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:2rem 0 .75rem}
.verdict{border-left:.4rem solid var(--tone);background:var(--card);border-radius:.5rem;padding:1.1rem 1.3rem;
box-shadow:0 1px 3px #0001}.verdict strong{color:var(--tone);font-size:1.15rem}.verdict p{margin:.2rem 0 0}
.facts{display:flex;flex-wrap:wrap;gap:.6rem 2.2rem;margin:.75rem 0 0;padding:.8rem 1.3rem;
background:var(--card);border:1px solid var(--line);border-radius:.5rem}
.facts dt{color:var(--soft);font-size:.8rem}.facts dd{margin:0;font-weight:600;overflow-wrap:anywhere}
article{background:var(--card);border:1px solid var(--line);border-radius:.5rem;
padding:.9rem 1.1rem;margin:0 0 .75rem}
article header{display:flex;gap:.6rem;align-items:baseline;flex-wrap:wrap;margin-bottom:.3rem}
.badge{color:var(--tone);border:1px solid var(--tone);border-radius:1rem;padding:0 .6rem;font-size:.8rem;
font-weight:600;white-space:nowrap}code{font:.85em ui-monospace,SFMono-Regular,Menlo,monospace}
.rule{color:var(--soft);font-size:.85rem}article p{margin:.15rem 0;overflow-wrap:anywhere}
.small{color:var(--soft);font-size:.9rem}
pre{margin:.3rem 0 .1rem;padding:.5rem .7rem;background:var(--page);border:1px solid var(--line);
border-radius:.35rem;overflow-x:auto;font:.85rem/1.45 ui-monospace,SFMono-Regular,Menlo,monospace}
.table{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.45rem .8rem;
border-bottom:1px solid var(--line);white-space:nowrap}tr:last-child td{border-bottom:0}th{color:var(--soft)}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
.reject{--tone:var(--reject)}.warn{--tone:var(--warn)}.info{--tone:var(--info)}.accept{--tone:var(--accept)}
"""


def render_report(report: ValidationReport, *, title: str) -> str:
    """Return the page: verdict, facts of the file, findings with the worst first, columns.

    Everything that comes from the file is escaped and cut; the page loads nothing and runs nothing.
    """
    heading, sentence = _VERDICTS[report.verdict]
    name = escape(shown(title, 120))
    findings = "".join(map(_finding, report.findings)) or '<p class="small">There is nothing to remark.</p>'
    content = (
        f'<section class="verdict {report.verdict}"><h1>{name}</h1><strong>{heading}</strong>'
        f"<p>{sentence}</p>"
        f"</section>\n{_facts(report)}\n<h2>Findings</h2>\n{findings}\n{_columns(report.columns)}"
    )
    return page(f"{heading}: {shown(title, 120)}", content, _STYLE)


def _facts(report: ValidationReport) -> str:
    facts = [
        ("Rows", f"{report.n_rows:,}"),
        ("Columns", f"{report.n_columns:,}"),
        ("Size", _size(report.size_bytes)),
    ]
    if report.target:
        facts.append(("Target", shown(report.target)))
    if report.format:
        encoding = report.format.encoding.upper() + (" with mark" if report.format.has_bom else "")
        facts += [
            ("Encoding", encoding),
            ("Delimiter", _DELIMITERS.get(report.format.delimiter, repr(report.format.delimiter))),
        ]
        if report.format.compression:
            facts.append(("Compression", report.format.compression))
    if report.sha256:
        facts.append(("SHA-256", report.sha256[:8]))
    entries = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{entries}</dl>'


def _finding(finding: Finding) -> str:
    parts = [f"<p>{escape(finding.message)}</p>"]
    if len(finding.lines) > _LINES_IN_MESSAGES or finding.parts:
        more = (
            ""
            if (finding.count or 0) <= len(finding.lines)
            else f" (first {len(finding.lines)} of {finding.count:,})"
        )
        parts.append(f'<p class="small">Lines{more}: {_lines(finding)}</p>')
    if finding.examples:
        shown_examples = " ".join(f"<code>{escape(example)}</code>" for example in finding.examples)
        parts.append(f'<p class="small">For example: {shown_examples}</p>')
    if finding.advice:
        parts.append(f'<p class="small">{escape(finding.advice)}</p>')
    if finding.accept_with:
        lines = f"<pre>{escape(finding.accept_with)}</pre>"
        parts.append(f'<p class="small">Or accept it on purpose, in <code>model.toml</code>:</p>{lines}')
    badge = f'<span class="badge">{_SEVERITIES[finding.severity]}</span>'
    rule = f'<code class="rule">{escape(finding.rule_id)}</code>'
    return f'<article class="{finding.severity}"><header>{badge}{rule}</header>{"".join(parts)}</article>'


def _lines(finding: Finding) -> str:
    if not finding.parts:
        return ", ".join(map(str, finding.lines))
    pairs = zip(finding.parts, finding.lines, strict=False)
    by_part = {part: [line for _, line in lines] for part, lines in groupby(pairs, lambda pair: pair[0])}
    return "; ".join(
        f"{escape(shown(part, 60))} {', '.join(map(str, lines))}" for part, lines in by_part.items()
    )


def _columns(columns: Iterable[ColumnSummary]) -> str:
    rows = "".join(map(_column, list(columns)[:_MAX_COLUMNS]))
    if not rows:
        return ""
    head = '<tr><th>Column</th><th>Type</th><th>Role</th><th class="number">Missing</th><th>Values</th></tr>'
    return (
        f'<h2>Columns</h2><div class="table"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'
    )


def _column(column: ColumnSummary) -> str:
    if column.minimum is not None and column.maximum is not None:
        values = f"{column.minimum:g} to {column.maximum:g}"
    else:
        values = f"{column.n_levels:,} different" if column.n_levels else ""
    cells = (escape(shown(column.name) or "(no name)"), column.kind, column.role)
    missing = f'<td class="number">{column.n_missing:,}</td>'
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}{missing}<td>{escape(values)}</td></tr>"


def _size(size_bytes: int) -> str:
    for unit, size in (("MiB", 1024**2), ("KiB", 1024)):
        if size_bytes >= size:
            return f"{size_bytes / size:,.1f} {unit}"
    return f"{size_bytes} bytes"
