"""Debian's headless Chromium, driven by Playwright, and what a page did in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAMS = ("chromium-headless-shell", "chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.seen = [];
addEventListener("securitypolicyviolation", (event) => window.seen.push(`violation of ${event.violatedDirective}`));
for (const name of ["beforeprint", "afterprint"]) addEventListener(name, () => window.seen.push(name));
"""


@contextmanager
def started() -> Iterator[Browser]:
    """The browser; skips the test where there is none."""
    program = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if not program:
        pytest.skip(f"{PROGRAMS[0]} is not installed (Debian package {PROGRAMS[0]})")
    # A proxy of this machine is of no use for a file.
    environment: dict[str, str | float | bool] = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, env=environment)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Opened:
    """A page from a file, with every request and every message of its console so far."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def seen(self) -> list[str]:
        """Violations of the Content Security Policy, and prints."""
        return list(self.page.evaluate("window.seen"))

    def nodes(self) -> int:
        return int(self.page.evaluate("document.querySelectorAll('*').length"))

    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.id || document.activeElement.textContent"))


@contextmanager
def opened(browser: Browser, path: Path, fragment: str = "", *, ready: str = "html[data-ready]", **options: Any) -> Iterator[Opened]:
    """A file in a context of its own. `ready`: what the page has when its scripts are done; `options`: of the context, such as viewport or
    color_scheme."""
    context = browser.new_context(**options)
    context.add_init_script(WATCH)
    page = context.new_page()
    made = Opened(page)
    page.on("request", lambda request: made.requests.append(request.url))
    page.on("console", lambda message: made.messages.append(message.text))
    page.on("pageerror", lambda error: made.messages.append(str(error)))
    page.on("dialog", lambda dialog: made.messages.append(f"dialog {dialog.message}"))
    try:
        page.goto(f"{path.as_uri()}{fragment}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector(ready)
        yield made
    finally:
        context.close()
