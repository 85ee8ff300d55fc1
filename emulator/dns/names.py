"""Which texts are names that a sender domain can have."""

from __future__ import annotations

import re

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
DOMAIN = re.compile(rf"(?:{LABEL.pattern}\.)+[a-z]{{2,63}}", re.IGNORECASE)
