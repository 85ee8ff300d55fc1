# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: explain
short_description: Explain an error text from the error catalog
version_added: 0.1.0
author:
  - mailops.m365 developers (@mailops)
description:
  - Explains the errors in a text. The text can be an SMTP reply, an AADSTS code, a whole delivery report (NDR), log lines of Postfix or
    Dovecot, an error of Microsoft Graph, the Exchange admin API, Azure Resource Manager or a DNS server, or the message of a failed task.
  - Each error is one item, in the order of the text. The list is empty where nothing is recognized.
  - The items repeat no passwords, client secrets and tokens of the text.
positional: service
options:
  _input:
    description: The text.
    type: str
    required: true
  service:
    description: The service that the text is from, where the text does not show it.
    type: str
    choices: [entra, graph, exchange, smtp, hve, acs, relay, network, arm, dns, hosted, hosted_smtp]
"""

EXAMPLES = r"""
---
- name: Report what a delivery report means
  ansible.builtin.debug:
    msg: "{{ item.cause }}: {{ item.remedy }}"
  loop: "{{ lookup('ansible.builtin.file', 'bounce.eml') | mailops.m365.explain }}"

- name: Report what a reply of High Volume Email means
  ansible.builtin.debug:
    msg: "{{ '535 5.7.3 Authentication unsuccessful' | mailops.m365.explain(service='hve') }}"
"""

RETURN = r"""
---
_value:
  description: The errors.
  type: list
  elements: dict
  contains:
    code:
      description: The code as the service writes it, such as V(535 5.7.139) or V(AADSTS7000215); empty where the error has none.
      type: str
    text:
      description: The part of the text that has the error.
      type: str
    service:
      description: The service, as option O(service).
      type: str
    id:
      description: The entry of the error catalog.
      type: str
    cause:
      description: What the error means.
      type: str
    remedy:
      description: What to do.
      type: str
    waiting_helps:
      description: Whether the same request can succeed later without any change of configuration.
      type: bool
    variables:
      description: The variables of the inventory whose value is the cause or the remedy.
      type: list
      elements: str
    queue_policy:
      description: What a relay host does with a message that gets this reply (V(defer), V(hold), V(bounce)); else empty.
      type: str
    source:
      description: The title of the documentation that the entry is from.
      type: str
    other_services:
      description: The mail services that have another entry for this reply, where the text does not show its server.
      type: list
      elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.mailops.m365.plugins.module_utils.explain.recognition import LIMIT, SERVICES, explain


def _explain(text: object, service: str = "") -> list[dict[str, object]]:
    """The errors of a text as plain data."""
    if not isinstance(text, str):
        raise AnsibleFilterError(f"Could not explain the value: it is of type {type(text).__name__}; give a string.")
    if service and service not in SERVICES:
        raise AnsibleFilterError(f"Could not explain the text: service is {service!r}; give one of {', '.join(SERVICES)}.")
    if len(text) > LIMIT:
        raise AnsibleFilterError(f"Could not explain the text: it has more than {LIMIT} characters; give the part with the error.")
    return [explanation.as_dict() for explanation in explain(str(text), service).explanations]


class FilterModule:
    """Entry point of the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"explain": _explain}
