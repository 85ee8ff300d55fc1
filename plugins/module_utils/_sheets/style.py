# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style of the HTML pages: on the screen in light and dark, on paper in black on white."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --text: #1b1f24; --paper: #fff; --soft: #f3f5f7; --line: #c9d0d8; --accent: #0b5394; --mark: #8a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8eaed; --paper: #16191d; --soft: #22272e; --line: #454d57; --accent: #8ab8ff; --mark: #ffb86b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--text); font: 16px/1.45 "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
.wide main { max-width: 90rem; }
h1 { margin: 0; font-size: 1.75rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 1.75rem 0 .5rem; padding-bottom: .2rem; border-bottom: 2px solid var(--accent); font-size: 1.15rem; overflow-wrap: anywhere; }
p, ul { margin: .5rem 0; overflow-wrap: anywhere; }
ul { padding-left: 1.25rem; }
.lead { margin-top: .35rem; color: var(--text); }
.important { padding: .6rem .8rem; border-left: .35rem solid var(--mark); background: var(--soft); font-weight: 600; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: break-word; }
thead th { background: var(--soft); }
tbody th { font-weight: 600; }
code { font-family: ui-monospace, "Liberation Mono", Consolas, monospace; font-size: .95em; }
td code { font-weight: 600; }
pre { margin: .5rem 0; padding: .75rem; overflow-x: auto; border: 1px solid var(--line); background: var(--soft); }
pre code { font-weight: 400; font-size: .875rem; overflow-wrap: normal; }
a { color: var(--accent); }
i { color: var(--mark); }
@media screen and (max-width: 40rem) {
  thead { display: none; }
  table, tbody, tr, th, td { display: block; }
  tr { margin-bottom: .75rem; border: 1px solid var(--line); }
  th, td { border: 0; }
  tbody th { background: var(--soft); }
  td:empty { display: none; }
  td::before { content: attr(data-label) ": "; font-size: .85em; }
}
@page { size: A4; margin: 14mm; }
@page wide { size: A4 landscape; margin: 12mm; }
@media print {
  :root { color-scheme: light; --text: #000; --paper: #fff; --soft: #f0f0f0; --line: #888; --accent: #000; --mark: #000; }
  html { font-size: 14px; }
  body { font-size: 10pt; line-height: 1.35; }
  .wide { page: wide; }
  .wide body { font-size: 9pt; }
  main { max-width: none; padding: 0; }
  h2 { margin-top: 1rem; break-after: avoid; }
  tr, li, .important { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll, pre { overflow: visible; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  pre code { font-size: 8.5pt; overflow-wrap: anywhere; }
  a { color: inherit; text-decoration: none; }
  a[href^="http"]::after { content: " (" attr(href) ")"; overflow-wrap: anywhere; }
}
"""
