"""The state file: YAML or JSON, written by hand or by `save`."""

from __future__ import annotations

from emulator.statefile.document import load, load_text, parse, read, save, state_document
from emulator.statefile.reader import StateError

__all__ = ["StateError", "load", "load_text", "parse", "read", "save", "state_document"]
