"""What the comparison of runs adds to the style of the reports: a colour per run, bars, curves."""

from mlops.pages.report_style import REPORT_STYLE

# ten colours that differ in light and in hue; later runs start again
_COLOURS = (
    "#2563c9",
    "#d9730d",
    "#1c8a57",
    "#b4308c",
    "#8a6d00",
    "#6a4fd0",
    "#0f8a9d",
    "#c0392b",
    "#64748b",
    "#a0522d",
)
N_COLOURS = len(_COLOURS)

_RUNS = "".join(f".run{at}{{--run:{colour}}}" for at, colour in enumerate(_COLOURS))

STYLE = f"""{REPORT_STYLE}{_RUNS}
.runs th[scope=row]{{position:sticky;left:0;background:var(--card);min-width:min(220px,40vw);max-width:220px}}
main{{max-width:1240px}}
.runs td{{white-space:nowrap}}
.runs thead th:first-child{{position:sticky;left:0;background:var(--card)}}
.runs{{border:1px solid var(--line);border-radius:12px;background:var(--card)}}
.runs table{{border:0}}
.runs th small{{display:block;color:var(--soft);font-weight:400;font-size:.75rem}}
.swatch{{display:inline-block;width:11px;height:11px;border-radius:3px;background:var(--run);margin-right:8px}}
.runs thead th{{white-space:nowrap}}
td.score{{min-width:104px}}
.bar{{display:block;height:4px;border-radius:2px;background:var(--line);margin-top:5px;overflow:hidden}}
.bar i{{display:block;height:100%;border-radius:2px;background:var(--reference)}}
.best .bar i{{background:var(--ok)}}
.best b{{color:var(--ok)}}
.num.best b::before{{content:"★ ";font-size:.8em}}
.none{{color:var(--soft)}}
.same{{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:12px 22px;margin:0}}
.same dt{{color:var(--soft);font-size:.75rem}}
.same dd{{margin:0;font-size:.875rem;overflow-wrap:anywhere}}
.legend span{{margin-right:18px;white-space:nowrap}}
.curves polyline{{fill:none;stroke:var(--run);stroke-width:2;stroke-linejoin:round}}
.curves circle{{fill:var(--run)}}
.curves .rule{{stroke:var(--line)}}
.curves text{{fill:var(--soft)}}
@media (prefers-color-scheme:dark){{.swatch,.curves polyline,.curves circle{{filter:brightness(1.35)}}}}
.running{{color:var(--warn);background:var(--warn-wash)}}
.failed{{color:var(--alert);background:var(--alert-wash)}}
.finished{{color:var(--ok);background:var(--ok-wash)}}
"""
