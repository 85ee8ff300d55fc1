"""docs/makers-and-programs.md: every product with device settings, and what it can do with OAuth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from ansible_collections.mailops.m365.plugins.module_utils._products.catalog import PRODUCTS
from ansible_collections.mailops.m365.plugins.module_utils._products.model import CONFIDENCE, KINDS, OAUTH, SETTINGS, Label, Product
from ansible_collections.mailops.m365.plugins.module_utils._products.sample import PARSED, RUN, WRITTEN
from ansible_collections.mailops.m365.plugins.module_utils._products.samples import SAMPLES
from ansible_collections.mailops.m365.plugins.module_utils._sheets import oauth

_VERIFIED = {RUN: "run by the tests", PARSED: "checked by the tests, not run", WRITTEN: "not run"}
Table = Callable[[list[str], list[list[str]]], list[str]]


def products_page(table: Table, generated: str) -> str:
    """`table` renders rows of a Markdown table; `generated` is the comment at the top of the page."""
    lines = [
        "# Makers and programs",
        "",
        generated.format(source="`plugins/module_utils/_products/`"),
        "SMTP settings for Microsoft 365 of printers, scanners, NAS, ERP systems, monitoring, websites and libraries: the names of the",
        "settings in each product, and whether it can sign in with OAuth. A sender of `m365_senders` names its product",
        "(`product: Kyocera`), and [its settings sheet](device-settings.md#settings-sheets) has the values for it. Names in *italics* were",
        "not read in a source of the maker. As of 2026-11-28.",
        "",
        "## OAuth",
        "",
        *table(["Product", "`product`", "OAuth by SMTP", "Sample"], [_summary(product) for product in PRODUCTS.values()]),
    ]
    for kind, title in KINDS.items():
        products = [product for product in PRODUCTS.values() if product.kind == kind]
        lines += [line for product in products for line in ("", *_product(product, title, table))]
    return "\n".join(lines) + "\n"


def _summary(product: Product) -> list[str]:
    sample = SAMPLES.get(product.name)
    words = "" if not sample else _VERIFIED[sample.verified]
    return [f"[{product.label}](#{_anchor(product.label)})", f"`{product.name}`", OAUTH[product.oauth.smtp] + _by_model(product), words]


def _anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _by_model(product: Product) -> str:
    return "; the maker's list of models decides" if product.oauth.by_model else ""


def _product(product: Product, kind: str, table: Table) -> Iterator[str]:
    yield f"## {product.label}"
    yield ""
    where = f" Where: {_plain(product.where)}." if product.where else ""
    yield f"{kind}.{where} How far it is verified: {CONFIDENCE[product.confidence]}."
    yield ""
    rows = [[title, _label(product.fields[name])] for name, title in SETTINGS.items() if name in product.fields]
    rows += [[title[0].upper() + title[1:], _label(label)] for title, label in product.further.items()]
    words = product.encryption
    choices = [
        f"{name}: {text}" for name, text in (("none", words.none), ("STARTTLS", words.starttls), ("SSL/TLS", words.implicit)) if text
    ]
    if choices:
        rows.append(["Choices of encryption", _marked("; ".join(choices), words.verified)])
    if rows:
        yield from table(["Setting", "Name in the product"], rows)
        yield ""
    yield f"- {_plain(oauth.statement(product))}"
    yield from (f"- {_plain(sentence)}" for sentence in (*oauth.details(product), *product.notes))
    yield f"- Sources: {'; '.join(_plain(source) for source in product.sources)}."


def _label(label: Label) -> str:
    return _marked(label.text, label.verified)


def _marked(text: str, verified: bool) -> str:
    return _plain(text) if verified else f"*{_plain(text)}*"


def _plain(text: str) -> str:
    """The text without what Markdown would interpret; the table escapes pipes."""
    for mark in ("\\", "*", "[", "]", "<", "`", "~", "_"):
        text = text.replace(mark, f"\\{mark}")
    return text
