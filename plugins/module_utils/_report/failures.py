# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task failed, as problems and remedy, for a failure of any cause: a resource's, Ansible's own, an unreachable host."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .._core.json_types import JsonObject

_PREFIXES = re.compile(r"(?:(?:Task|Action|Module) failed(?:: |\.\s*))+")
_BY_SSH = re.compile(r"(?:Failed to connect to the host|Data could not be sent to remote host .*? reached) (?:via|over) ssh: ")
_UNDEFINED = re.compile(r"'[^']+' is undefined")
_UNREACHABLE = "Check that the host is on, that its address is correct and that Ansible can sign in to it."
_STARTED = "Part of the change may be in effect: the next run compares again and completes it."


@dataclass(frozen=True)
class Failure:
    """The problems of a failed task, one sentence each, and the remedy where it is known."""

    problems: tuple[str, ...]
    remedy: str = ""

    @classmethod
    def of(cls, result: JsonObject, source: str = "") -> Failure:
        """The failure that a task's result describes. `source`: file and line of the value that it is about, where Ansible names it."""
        failure = result.get("failure")
        if isinstance(failure, dict) and (failure.get("problems") or failure.get("attempted")):
            return _of_resource(result, failure)
        return _of_ansible(result, source)


def _of_resource(result: JsonObject, failure: JsonObject) -> Failure:
    """The failure of a resource of this collection: what it returns as `failure`."""
    if failure.get("problems"):
        return Failure(tuple(failure["problems"]), failure.get("remedy") or "")
    remedies = [failure.get("remedy") or "", _STARTED if result.get("changed") else ""]
    if failure.get("cause"):
        problem = explanation(f"could not {failure['attempted']}: ", failure["cause"], failure.get("code") or "")
        return Failure((sentence(problem),), " ".join(text for text in remedies if text))
    return Failure((sentence(str(result.get("msg") or "")),), remedies[1])


def _of_ansible(result: JsonObject, source: str) -> Failure:
    errors = result.get("argument_errors")
    text = _PREFIXES.sub("", str(result.get("msg") or result.get("censored") or "")).strip()
    if result.get("unreachable"):
        reason = _BY_SSH.sub("", _first_line(text))
        return Failure((sentence(f"unreachable: {reason}"),), _UNREACHABLE)
    if isinstance(errors, list) and errors:
        return Failure(tuple(sentence(str(error)) for error in errors), _argument_remedy(result, source))
    if _UNDEFINED.search(text):
        return Failure((sentence(_first_line(text)),), f"Define the variable, or correct its name{f' ({source})' if source else ''}.")
    if result.get("stderr") and "rc" in result:
        text = f"{text} (exit status {result['rc']}): {_last_line(str(result['stderr']))}"
    return Failure((sentence(" ".join(text.split()) or "the task failed without a message"),))


def _argument_remedy(result: JsonObject, source: str) -> str:
    context = result.get("validate_args_context") or {}
    role = f" (role {context['name']})" if context.get("name") else ""
    return f"Correct the host's variables{role}{f', {source}' if source else ''}; nothing was changed."


def explanation(subject: str, cause: str, code: str) -> str:
    """The subject, and the cause with its code."""
    return f"{subject}{cause.rstrip('.')}" + (f" ({code})" if code else "")


def sentence(text: str) -> str:
    """The text with a full stop, and a capital letter where its first word is not the name of a variable or file."""
    text = text.strip()
    first = text.split(maxsplit=1)[0].rstrip(".,:") if text else ""
    if not any(mark in first for mark in "_/.@"):
        text = text[:1].upper() + text[1:]
    return text + ("" if text.endswith((".", "!", "?")) else ".")


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _last_line(text: str) -> str:
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
