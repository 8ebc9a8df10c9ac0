"""How pages look: one style for the page of a video and the list of a run."""

from __future__ import annotations

from sadinet.media.chart import DARK, LIGHT
from sadinet.media.chart_svg import FONT, escaped


def document(title: str, *body: str) -> str:
    """Return a whole HTML document. Nothing in it is fetched: it works without a network, from any disk."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>\n"
        + "".join(body)
        + "</main>\n</body>\n</html>\n"
    )


def _variables(tones: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in tones.items())


def _style() -> str:
    # Dark is for screens alone: paper is light.
    dark = f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}--card:#1d2127}}}}\n"
    return f":root{{color-scheme:light dark;{_variables(LIGHT)}--card:#f6f7f9}}\n{dark}{_RULES.replace('FONT', FONT)}"


_RULES = """\
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 FONT}
main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:1.7rem;line-height:1.25;margin:0 0 .2em;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2em 0 .6em}
h3{font-size:1rem;margin:1.6em 0 .3em}
p{margin:.5em 0;max-width:75ch}
a{color:var(--left)}
.muted{color:var(--muted)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(118px,1fr));gap:10px;margin:18px 0}
.tile{background:var(--card);border-radius:8px;padding:10px 14px}
.tile b{display:block;font-size:1.45rem;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{color:var(--muted);font-size:.85rem}
.warn{margin:18px 0;border-left:4px solid var(--flag);background:var(--card);padding:8px 16px;border-radius:0 8px 8px 0}
.warn h2{margin:.2em 0}
.warn ul{margin:.3em 0;padding-left:1.2em}
.warn li{overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:0}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:14px}
.sheet figure{margin:0;break-inside:avoid}
.sheet img{width:100%;height:auto;display:block;border-radius:6px;background:var(--grid)}
.sheet figcaption{color:var(--muted);font-size:.85rem;padding-top:3px}
.chart{overflow-x:auto;margin:-6px -14px}
.chart svg{display:block;width:100%;min-width:640px;height:auto}
.chart a:hover rect,.chart a:focus rect{stroke:var(--ink);stroke-width:2}
table{border-collapse:collapse;min-width:50%;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding-bottom:6px}
th,td{text-align:left;padding:5px 24px 5px 0;border-bottom:1px solid var(--grid);vertical-align:top}
th{font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}
td.w{overflow-wrap:anywhere}
td.t{white-space:nowrap}
.long{max-height:24rem;overflow:auto;border:1px solid var(--grid);border-radius:8px;padding:0 0 0 14px}
.long caption{padding-top:8px}
.long thead th{position:sticky;top:0;background:var(--paper)}
.long tr:target{background:var(--card);outline:2px solid var(--flag);outline-offset:-2px}
.failed{color:var(--flag);font-weight:600}
@media print{main{max-width:none;padding:0}.long{max-height:none;overflow:visible;border:0;padding:0}
.chart,.tiles,tr{break-inside:avoid}.chart svg{min-width:0}a{color:inherit;text-decoration:none}}
"""
