"""How the page looks: one style sheet, its colours as variables, for light, dark and paper.

Plots use the same variables (`eval.report.plots`), so they change with the page.
"""

from __future__ import annotations

_LIGHT = """
  --paper: #ffffff; --sheet: #f6f7f9; --ink: #1b1f24; --muted: #59636e; --line: #d5dae0;
  --warn: #fff4d6; --warn-line: #d9a406; --bad: #b3261e; --good: #1a7f37;
  --ghost: #dcebff; --ghost-ink: #0a3f7d; --want: #dff5e3; --want-ink: #0f5323;
  --c1: #2f6fb5; --c2: #d9700f; --c3: #2c8a4b; --c4: #8a4fb8; --c5: #b03a5b; --c6: #6b7280;
"""
_DARK = """
  --paper: #14181d; --sheet: #1d232a; --ink: #e4e8ed; --muted: #9da7b3; --line: #39424d;
  --warn: #3a2f10; --warn-line: #c79a1b; --bad: #ff8f86; --good: #6fd08c;
  --ghost: #17385f; --ghost-ink: #cfe4ff; --want: #163d24; --want-ink: #c8f2d4;
  --c1: #6fa8e6; --c2: #f2994a; --c3: #6cc48a; --c4: #c29be6; --c5: #ec85a1; --c6: #9aa4b1;
"""
STYLE = (
    ":root { color-scheme: light dark;"
    "  --sans: system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif;"
    "  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;"
    f"{_LIGHT}}}"
    f"@media screen and (prefers-color-scheme: dark) {{ :root {{{_DARK}}} }}"
    """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem 1rem 4rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 var(--sans); overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; margin: 2.8rem 0 .6rem; padding-top: .6rem; border-top: 2px solid var(--line); }
h3 { font-size: 1.08rem; margin: 1.8rem 0 .4rem; }
h4 { font-size: .95rem; margin: 1.4rem 0 .3rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
a { color: var(--c1); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: .8rem 0; padding: 0; }
small, .quiet, caption, figcaption { color: var(--muted); font-size: .85rem; }
code, pre, .mono { font-family: var(--mono); font-size: .85rem; }
.scroll { overflow-x: auto; margin: .6rem 0 1rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; vertical-align: top; padding: .32rem .8rem .32rem 0;
  border-bottom: 1px solid var(--line); }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; min-width: 7rem; }
td b { font-weight: 650; white-space: nowrap; }
td small { white-space: nowrap; }
tr.opens > * { border-top: 1px solid var(--muted); }
tr.baseline > * { color: var(--muted); }
tr.baseline b { font-weight: 400; }
tr.spoken > * { border-bottom: 0; padding-bottom: 0; }
table.groups td, table.groups th { border-bottom: 0; padding-top: .16rem; padding-bottom: .16rem; }
table.groups tr.opens > * { border-top: 1px solid var(--line); padding-top: .4rem; }
table.groups thead th { padding-bottom: .4rem; }
td div { white-space: nowrap; } .verdict, .verdict * { white-space: normal; }
table.numbers td { text-align: right; white-space: nowrap; }
table.numbers thead th:not(:first-child) { text-align: right; }
table.facts th { white-space: nowrap; color: var(--muted); }
table.facts td { overflow-wrap: anywhere; min-width: 12rem; }
.verdict { max-width: 58rem; padding: .1rem 0 .4rem; }
.verdict p { margin: .15rem 0; max-width: none; }
.bad { color: var(--bad); font-weight: 600; }
.good { color: var(--good); }
.warn { background: var(--warn); border-left: 4px solid var(--warn-line); padding: .35rem .7rem;
  border-radius: 3px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr));
  gap: .5rem 2rem; align-items: start; }
.beside { display: flex; flex-wrap: wrap; gap: 0 2rem; align-items: flex-start; }
.beside .scroll { max-width: 100%; } .beside figure { flex: 1 1 24rem; max-width: 33rem; }
figure { margin: .6rem 0; min-width: 0; }
figure.plot svg { display: block; width: 100%; max-width: 33rem; height: auto; }
figure.plot svg * { stroke-linejoin: round; stroke-linecap: butt; }
.item { border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem .2rem; margin: 1rem 0; }
.item h5 { margin: 0 0 .3rem; font-size: .9rem; overflow-wrap: anywhere; }
.answers { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
  gap: 0 1rem; }
.ghost pre { margin: .25rem 0 0; padding: .5rem .6rem; background: var(--sheet); border-radius: 4px;
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.4; tab-size: 4; color: var(--muted); }
.ghost ins { background: var(--ghost); color: var(--ghost-ink); text-decoration: none;
  border-radius: 2px; box-shadow: 0 0 0 1px var(--ghost); }
.want ins { background: var(--want); color: var(--want-ink); box-shadow: 0 0 0 1px var(--want); }
.ghost ins.nothing { box-shadow: none; border-left: 2px solid var(--bad); background: none; }
.ws { font-style: normal; opacity: .55; }
.more { opacity: .7; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: .35rem 1.2rem; }
dt { font-weight: 600; } dd { margin: 0; max-width: 46rem; }
.where { display: inline-block; width: .7em; height: .7em; border-radius: 2px; margin-right: .35em; }
@media (max-width: 40rem) {
  body { padding: 1rem .8rem 3rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; }
  th, td { padding-right: .6rem; } tbody th { min-width: 0; }
  .verdict { position: sticky; left: 0; max-width: calc(100vw - 1.8rem); }
}
@media print {
  body { max-width: none; font-size: 10.5pt; padding: 0; } nav { display: none; }
  .item, figure, tr { break-inside: avoid; } h2, h3, h4 { break-after: avoid; }
  .scroll { overflow: visible; }
}
"""
)
SERIES = ("c1", "c2", "c3", "c4", "c5", "c6")
"""Variables of the colours that tell series apart."""
