# ruff: noqa: E501  a style sheet
"""The style sheet of our reports: light and dark, phone and paper."""

REPORT_STYLE = """
:root{--ink:#1c2430;--soft:#5a6675;--paper:#f6f7f9;--card:#fff;--line:#dfe4ea;--reference:#b9c2ce;
--current:#2563c9;--wash:rgba(37,99,201,.16);--ok:#1c7c4a;--ok-wash:#e4f4eb;--warn:#8a5a00;--warn-wash:#fdf1d7;
--alert:#b3261e;--alert-wash:#fdeae8;--calm:#4a5563;--calm-wash:#e9edf2}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#9aa7b6;--paper:#12161c;--card:#1a2029;--line:#2c3542;
--reference:#4a5667;--current:#79adff;--wash:rgba(121,173,255,.2);--ok:#7fd8a6;--ok-wash:#15301f;--warn:#f2c46b;
--warn-wash:#33270d;--alert:#ff9d94;--alert-wash:#3a1715;--calm:#b5c0cd;--calm-wash:#27303b}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:1.75rem;line-height:1.2;margin:.1em 0 .7em;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:0 0 .6em}
h3{font-size:1rem;margin:0 0 .25em;display:flex;gap:10px;align-items:center;justify-content:space-between;
overflow-wrap:anywhere}
section{margin-top:36px}
.eyebrow{color:var(--soft);font-size:.875rem;margin:0}
.verdict{display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline;border-radius:12px;padding:16px 20px;
border-left:6px solid currentColor}
.verdict strong{font-size:1.15rem}
.verdict span{color:var(--ink)}
.OK{color:var(--ok);background:var(--ok-wash)}
.WARN{color:var(--warn);background:var(--warn-wash)}
.ALERT{color:var(--alert);background:var(--alert-wash)}
.INSUFFICIENT_DATA{color:var(--calm);background:var(--calm-wash)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:14px;margin:18px 0 0}
.tile,.card,table,.changes{background:var(--card);border:1px solid var(--line);border-radius:12px}
.tile{padding:14px 18px}
.tile dt{color:var(--soft);font-size:.875rem}
.tile dd{margin:2px 0;font-size:1.7rem;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums}
.tile p{margin:0;color:var(--soft);font-size:.8125rem}
.changes{list-style:none;margin:0;padding:0}
.changes li{padding:11px 18px;border-top:1px solid var(--line);overflow-wrap:anywhere}
.changes li:first-child{border-top:0}
.changes b{margin:0 .35em 0 .4em}
.badge{display:inline-block;border-radius:99px;padding:1px 10px;font-size:.75rem;font-weight:600;white-space:nowrap}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,440px),1fr));gap:16px;align-items:start}
.card{padding:18px 20px;break-inside:avoid}
.card>p{margin:0 0 12px;color:var(--soft);overflow-wrap:anywhere}
.legend{color:var(--soft);font-size:.875rem;margin:-.2em 0 .9em}
.key{display:inline-block;width:22px;height:11px;border-radius:3px;margin:0 5px 0 0;vertical-align:baseline}
.key.reference{background:var(--reference)}
.key.current{background:var(--wash);border:2px solid var(--current);margin-left:16px}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:13px;fill:var(--ink);font-variant-numeric:tabular-nums}
svg text.share{fill:var(--soft);font-size:12px}
svg text.now{fill:var(--current);font-weight:600}
svg .reference{fill:var(--reference)}
svg .current{fill:var(--wash);stroke:var(--current);stroke-width:2;stroke-linejoin:round}
svg .current.solid{fill:var(--current);stroke:none}
svg .axis{stroke:var(--soft);stroke-width:1}
.numbers{display:flex;flex-wrap:wrap;gap:6px 22px;margin:14px 0 0;padding-top:12px;border-top:1px solid var(--line)}
.numbers dt{color:var(--soft);font-size:.75rem}
.numbers dd{margin:0;font-size:.875rem;font-variant-numeric:tabular-nums}
summary{cursor:pointer}
summary h2{display:inline-block;margin-bottom:.4em}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:separate;border-spacing:0;font-size:.875rem}
th,td{text-align:left;padding:8px 14px;border-top:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
thead th{border-top:0;color:var(--soft);font-weight:500}
tbody th{font-weight:600}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.reading p{color:var(--soft);max-width:75ch;margin:.4em 0}
details ul{margin:.2em 0;padding-left:1.2em;color:var(--soft)}
@media (max-width:520px){main{padding:20px 14px 48px}h1{font-size:1.4rem}.card{padding:15px}th,td{padding:7px 9px}
svg text{font-size:16px}svg text.share{font-size:15px}}
@media print{body{background:#fff}main{max-width:none;padding:0}section{margin-top:20px}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
