"""The look of the approval page, and the hash by which its security policy allows exactly this style."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--paper:#fff;--ground:#f4f6f8;
--accent:#0b5fa5;
--good:#1a7f37;--bad:#b42318;--warn:#8a5a00;--tint:#eef4fa}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebef;--soft:#a3adb8;--line:#343b44;--paper:#1b2027;
--ground:#12161b;
--accent:#6db3f2;--good:#57c474;--bad:#ff8a80;--warn:#e3b341;--tint:#1f2a36}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:56rem;margin:0 auto;padding:1.5rem 1rem 4rem}
header p,.soft{color:var(--soft)}
header p{margin:0 0 .25rem}
h1{font-size:1.7rem;line-height:1.2;margin:.1rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:0 0 .75rem}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:1.25rem;
margin:1rem 0}
.lead{font-size:1.05rem;margin:.25rem 0 0}
.tag{display:inline-block;border:1px solid currentColor;border-radius:999px;padding:0 .6rem;
font-size:.85rem;font-weight:600}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{padding:.5rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
thead th{color:var(--soft);font-weight:600;font-size:.85rem}
tbody th,thead th:first-child{text-align:left;font-weight:600}
tbody tr:last-child>*{border-bottom:0}
tr.primary{background:var(--tint)}
small{display:block;color:var(--soft);font-weight:400}
section>:last-child{margin-bottom:0}
.plot svg{max-height:.6rem}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1rem}
figure{margin:0}figure img{display:block;width:100%;background:#fff;color-scheme:light;
border:1px solid var(--line);border-radius:8px}figcaption{color:var(--soft);font-size:.85rem;margin-top:.3rem}
a{color:var(--accent)}
ul{margin:.25rem 0;padding-left:1.2rem}li{margin:.2rem 0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;max-height:3rem}
.bar{fill:var(--accent)}.zero{stroke:var(--soft);stroke-dasharray:3 3}.span{stroke:var(--accent);
stroke-width:3}.dot{fill:var(--accent)}
.track{fill:var(--line)}
.decide{border:2px solid var(--accent)}
fieldset{border:0;margin:0;padding:0}legend{font-weight:600;padding:0;margin-bottom:.4rem}
.choice{display:flex;gap:.75rem;align-items:center;border:1px solid var(--line);border-radius:10px;
padding:.8rem 1rem;
margin:.5rem 0;cursor:pointer;min-height:3rem}
.choice:has(:checked){border-color:var(--accent);background:var(--tint)}
input[type=radio]{width:1.25rem;height:1.25rem;accent-color:var(--accent);margin:0;flex:none}
label.field{display:block;font-weight:600;margin:1rem 0 .3rem}
input[type=text],textarea{width:100%;font:inherit;color:inherit;background:var(--ground);
border:1px solid var(--soft);border-radius:8px;padding:.6rem .75rem}
textarea{min-height:5rem;resize:vertical}
button{font:inherit;font-weight:600;color:#fff;background:#0b5fa5;border:0;border-radius:8px;
padding:.8rem 1.4rem;margin-top:1.25rem;cursor:pointer;min-height:3rem}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.notice{border-left:5px solid var(--accent)}.notice.bad{border-left-color:var(--bad);color:inherit}
code{font:.95em ui-monospace,Consolas,monospace;overflow-wrap:anywhere}
@media(max-width:40rem){main{padding:1rem .75rem 3rem}section{padding:1rem;border-radius:10px}h1{
font-size:1.4rem}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}button{width:100%}th,td{padding:.45rem .4rem}
.scores thead{position:absolute;clip-path:inset(50%)}.scores tr{display:grid;
grid-template-columns:1fr 1fr;gap:.1rem .75rem;padding:.6rem .4rem;
border-bottom:1px solid var(--line)}.scores th,.scores td{border:0;padding:.1rem 0;white-space:normal;
text-align:left}
.scores tbody th,.scores .plot{grid-column:1/-1}.scores td::before{content:attr(data-name);display:block;
color:var(--soft);font-size:.8rem}}
"""

STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
