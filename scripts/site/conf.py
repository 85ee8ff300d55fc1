"""Sphinx's configuration for the pages that scripts/build_site.py prepares."""

from __future__ import annotations

import os

project = "mailops.m365"
author = "mailops.m365 developers"
project_copyright = author
version = release = os.environ["MAILOPS_SITE_VERSION"]
language = "en"

extensions = ["myst_parser", "sphinx_antsibull_ext"]
# The anchors that GitHub gives to headings, so that a link works there and here.
myst_heading_anchors = 4
nitpicky = True
highlight_language = "none"

html_theme = "furo"
html_title = f"{project} {release}"
html_short_title = project
html_baseurl = os.environ.get("MAILOPS_SITE_URL", "")
templates_path = ["_templates"]
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_last_updated_fmt = None
html_theme_options = {"source_view_link": "", "footer_icons": []}
