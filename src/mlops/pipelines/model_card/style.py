# ruff: noqa: E501  a style sheet
"""What the model card adds to the style sheet of the drift report."""

CARD_STYLE = """
:root{--c1:#c2410c;--c2:#0f766e;--c3:#7c3aed;--c4:#a16207;--c5:#be185d}
@media (prefers-color-scheme:dark){:root{--c1:#fb923c;--c2:#5eead4;--c3:#c4b5fd;--c4:#fde047;--c5:#f9a8d4}}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px;align-items:stretch}
.wide{grid-column:1/-1}
.plots .card{display:flex;flex-direction:column}.plots svg{margin:auto 0}.wide .matrix{margin:0 auto}
.aside{color:var(--soft);font-weight:400;font-size:.8125rem}
p.aside{margin:0 0 10px}
section>h3{margin:22px 0 8px}.changes+.plots{margin-top:16px}
.entry{white-space:nowrap;margin-right:14px}
.key.swatch{height:4px;margin-bottom:4px}
tr.primary>*{background:var(--wash)}
.facts th{width:220px;white-space:nowrap}
.facts td{overflow-wrap:anywhere}
.card details{margin-top:14px}.card table{margin-top:8px}
summary{color:var(--soft);font-size:.875rem}
svg .grid{stroke:var(--line);stroke-width:1}
svg .tick{fill:var(--soft);font-size:12.5px}
svg .chance{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 5}
svg .curve{fill:none;stroke:var(--current);stroke-width:2.4;stroke-linejoin:round}
svg .c1{stroke:var(--c1)}svg .c2{stroke:var(--c2)}svg .c3{stroke:var(--c3)}svg .c4{stroke:var(--c4)}svg .c5{stroke:var(--c5)}
.swatch.c0{background:var(--current)}.swatch.c1{background:var(--c1)}.swatch.c2{background:var(--c2)}.swatch.c3{background:var(--c3)}.swatch.c4{background:var(--c4)}.swatch.c5{background:var(--c5)}
svg .dot{fill:var(--current);stroke:var(--card);stroke-width:1.5}
svg .cloud{fill:var(--current);fill-opacity:.35}
svg .bar{fill:var(--current)}svg .warned{fill:var(--warn)}svg .alerted{fill:var(--alert)}
svg .interval{stroke:var(--reference);stroke-width:5;stroke-linecap:round}
svg .overall{stroke:var(--soft);stroke-width:1.4;stroke-dasharray:5 4}
svg .hit{fill:var(--current)}svg .miss{fill:var(--alert)}
svg .count{font-size:14px;font-weight:650}
svg text.none{fill:var(--soft);font-weight:400}
svg text.strong{fill:var(--card)}
.matrix{max-width:430px}.wide .matrix{max-width:720px}.plots svg.matrix{margin:auto}
th{overflow-wrap:normal;min-width:104px}
@media (max-width:520px){.tiles{grid-template-columns:1fr 1fr}.tile dd{font-size:1.35rem}.facts th{width:auto;white-space:normal}svg .tick{font-size:14px}svg .count{font-size:15px}}
@media print{.plots{grid-template-columns:1fr 1fr}tr,.tile{break-inside:avoid}h2,h3{break-after:avoid}}
"""

# What a figure needs as a file of its own; every rule names the class, so that an inlined file colours nothing else.
FIGURE_STYLE = """
.figure{--ink:#1c2430;--soft:#5a6675;--card:#fff;--line:#dfe4ea;--reference:#b9c2ce;--current:#2563c9;--warn:#8a5a00;--alert:#b3261e;
--c1:#c2410c;--c2:#0f766e;--c3:#7c3aed;--c4:#a16207;--c5:#be185d;background:var(--card);
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
@media (prefers-color-scheme:dark){.figure{--ink:#e8ecf1;--soft:#9aa7b6;--card:#1a2029;--line:#2c3542;--reference:#4a5667;--current:#79adff;--warn:#f2c46b;--alert:#ff9d94;
--c1:#fb923c;--c2:#5eead4;--c3:#c4b5fd;--c4:#fde047;--c5:#f9a8d4}}
.figure text{font-size:13px;fill:var(--ink);font-variant-numeric:tabular-nums}
.figure text.share{fill:var(--soft);font-size:12px}
.figure .tick{fill:var(--soft);font-size:12.5px}
.figure .grid{stroke:var(--line);stroke-width:1}
.figure .chance{fill:none;stroke:var(--soft);stroke-width:1.2;stroke-dasharray:5 5}
.figure .curve{fill:none;stroke:var(--current);stroke-width:2.4;stroke-linejoin:round}
.figure .c1{stroke:var(--c1)}.figure .c2{stroke:var(--c2)}.figure .c3{stroke:var(--c3)}.figure .c4{stroke:var(--c4)}.figure .c5{stroke:var(--c5)}
.figure .dot{fill:var(--current);stroke:var(--card);stroke-width:1.5}
.figure .cloud{fill:var(--current);fill-opacity:.35}
.figure .bar{fill:var(--current)}.figure .warned{fill:var(--warn)}.figure .alerted{fill:var(--alert)}
.figure .interval{stroke:var(--reference);stroke-width:5;stroke-linecap:round}
.figure .overall{stroke:var(--soft);stroke-width:1.4;stroke-dasharray:5 4}
.figure .hit{fill:var(--current)}.figure .miss{fill:var(--alert)}
.figure .count{font-size:14px;font-weight:650}
.figure text.none{fill:var(--soft);font-weight:400}
.figure text.strong{fill:var(--card)}
"""
