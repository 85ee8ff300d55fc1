# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All products by name, and the product that a text of the inventory names."""

from __future__ import annotations

import difflib
import re

from . import business, infrastructure, libraries, monitoring, mta, printers_a_k, printers_l_z, websites
from .model import Product

_FILES = (printers_a_k, printers_l_z, websites, libraries, monitoring, infrastructure, business, mta)
PRODUCTS: dict[str, Product] = {product.name: product for file in _FILES for product in file.PRODUCTS}


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


_BY_KEY = {_key(text): product for product in PRODUCTS.values() for text in (product.name, product.label, *product.aliases)}


def product_of(text: str | None) -> Product | None:
    """The product with this name, label or alias; case, spaces and punctuation do not count. None where there is none."""
    return _BY_KEY.get(_key(text or ""))


def nearest(text: str) -> str:
    """The name of the product whose name, label or alias is most similar."""
    [key] = difflib.get_close_matches(_key(text), _BY_KEY, n=1, cutoff=0)
    return _BY_KEY[key].name
