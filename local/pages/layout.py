"""The frame of every page, with the one style sheet."""

from html import escape

STYLE = """
:root { --ink:#1d2733; --soft:#5d6b7a; --line:#dfe4ea; --paper:#fff; --ground:#f4f6f8; --accent:#1f6feb;
  --ok:#1a7f4b; --alarm:#c0362c; --unknown:#8a6d1d; }
* { box-sizing:border-box }
body { margin:0; background:var(--ground); color:var(--ink);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif }
header { background:#16202c; color:#fff; padding:0 28px; display:flex; align-items:center; gap:28px; height:54px }
header b { font-weight:600; letter-spacing:.2px }
header a { color:#c7d3e0; text-decoration:none; padding:16px 0; border-bottom:3px solid transparent }
header a.here { color:#fff; border-color:#6ea8fe }
main { max-width:1180px; margin:26px auto; padding:0 28px }
h1 { font-size:23px; font-weight:600; margin:0 0 4px }
h2 { font-size:15px; font-weight:600; margin:0 0 8px }
p.lead { color:var(--soft); margin:0 0 20px }
a { color:var(--accent) }
.card { background:var(--paper); border:1px solid var(--line); border-radius:10px; padding:16px 18px; min-width:0 }
.rows { padding:0; overflow:hidden }
.rows a.row { display:grid; grid-template-columns:minmax(0,250px) minmax(0,1fr) 150px; gap:18px; padding:12px 18px;
  color:inherit; text-decoration:none; border-top:1px solid var(--line) }
.rows a.row:first-child { border-top:0 }
.rows a.row:hover { background:#f0f5fd }
.rows .row span { white-space:nowrap; overflow:hidden; text-overflow:ellipsis }
.rows .row i { font-style:normal; color:var(--soft) }
.when, .soft { color:var(--soft) }
.when { text-align:right }
dl.head { display:grid; grid-template-columns:80px 1fr; gap:3px 12px; margin:0 0 14px; padding-bottom:14px;
  border-bottom:1px solid var(--line) }
dl.head dt { color:var(--soft) } dl.head dd { margin:0; overflow-wrap:anywhere }
pre.mail { white-space:pre-wrap; overflow-wrap:anywhere; font:14px/1.6 ui-monospace,"DejaVu Sans Mono",monospace;
  margin:0 }
.empty { text-align:center; color:var(--soft); padding:44px }
.tiles { display:grid; grid-template-columns:repeat(auto-fill,minmax(300px,1fr)); gap:16px }
.tiles a.card { color:inherit; text-decoration:none } .tiles a.card:hover { border-color:var(--accent) }
.tiles p { margin:0; color:var(--soft) }
.grid { display:grid; grid-template-columns:repeat(24,minmax(0,1fr)); gap:14px; grid-auto-rows:46px; margin-bottom:34px }
.grid .card { overflow:hidden; display:flex; flex-direction:column }
.grid .card h2 { white-space:nowrap; overflow:hidden; text-overflow:ellipsis }
.grid svg { flex:1; min-height:0; width:100% }
.legend { display:flex; flex-wrap:wrap; gap:2px 16px; font-size:12px; color:var(--soft); max-height:40px;
  overflow:hidden }
.legend i { display:inline-block; width:10px; height:10px; border-radius:2px; margin-right:6px }
.value { font-size:32px; font-weight:600; letter-spacing:-.5px }
.values { display:flex; flex-wrap:wrap; gap:6px 34px; align-items:flex-end; flex:1; align-content:center }
.state { display:inline-block; border-radius:99px; padding:1px 10px; font-size:12px; font-weight:600; color:#fff;
  background:var(--unknown) }
.state.OK, .state.SUCCEEDED { background:var(--ok) } .state.RUNNING { background:var(--accent) }
.state.ALARM, .state.FAILED, .state.ABORTED, .state.TIMED_OUT { background:var(--alarm) }
h1 + .lead + h2, .tiles + h2 { margin-top:28px } .rows div.row { display:grid; gap:18px; padding:10px 18px;
  grid-template-columns:minmax(0,1fr) minmax(0,260px) 120px 150px; border-top:1px solid var(--line) }
.rows div.row:first-child { border-top:0 }
ul.alarms { list-style:none; margin:0; padding:0; overflow:auto; flex:1; display:grid; gap:4px 28px;
  grid-template-columns:repeat(auto-fill,minmax(300px,1fr)); align-content:start }
ul.alarms li { display:flex; justify-content:space-between; gap:12px; padding:4px 0 }
ul.alarms span:first-child { overflow:hidden; text-overflow:ellipsis; white-space:nowrap }
.markdown { overflow:auto; margin:-6px 0 } .markdown > :first-child { margin-top:0 }
.markdown h1 { font-size:19px } .markdown h3 { font-size:15px; margin:8px 0 2px }
.markdown p, .markdown ul { margin:2px 0; font-size:14px }
.markdown ul { padding-left:20px } .markdown code { background:var(--ground); padding:1px 5px; border-radius:4px }
.nodata { flex:1; display:grid; place-items:center; color:var(--soft); font-size:13px }
@media (max-width:760px) { .grid { display:block } .grid .card { margin-bottom:14px; height:300px }
  .rows a.row { grid-template-columns:1fr } .when { text-align:left } }
"""

_LINKS = (("/_local/", "Overview"), ("/_local/inbox", "Inbox"), ("/_local/dashboard", "Dashboards"))


def page(title: str, content: str, here: str = "", refresh_seconds: int | None = None) -> str:
    """Return a whole HTML document; `title` is escaped here, `content` must already be HTML."""
    links = "".join(
        f'<a href="{address}"{" class=here" if address == here else ""}>{name}</a>'
        for address, name in _LINKS
    )
    refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">' if refresh_seconds else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{refresh}'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><header><b>Local cloud</b>{links}</header><main>{content}</main></body></html>"
    )
