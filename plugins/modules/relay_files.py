#!/usr/bin/python
# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: relay_files
short_description: Manage configuration files of a relay host
description:
  - Creates directories, writes files and removes obsolete ones, all in one task. A file is replaced atomically, and only where its content,
    owner, group or mode differs.
  - The role relay_host uses it instead of a task for each file, because most of the time of a task is that of the connection.
options:
  directories:
    description: Directories, created before the files.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path.
        type: path
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Octal mode, in quotes.
        type: str
        default: "0755"
  files:
    description: Files, written in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      path:
        description: Absolute path, in a directory that exists or that O(directories) creates.
        type: path
        required: true
      content:
        description: The file's text.
        type: str
        required: true
      owner:
        description: Name of the owner.
        type: str
        default: root
      group:
        description: Name of the group.
        type: str
        default: root
      mode:
        description: Octal mode, in quotes.
        type: str
        default: "0644"
      replace:
        description: Whether the content of an existing file is replaced.
        type: bool
        default: true
      show_content:
        description: Whether the diff and the journal have the content. V(false) for a file with a secret.
        type: bool
        default: true
      validate:
        description: A command that accepts the new content by its exit status 0; C(%s) is the path of the new file. Not run in check mode.
        type: str
        default: ""
  purge:
    description: Patterns of paths. Files that match and are not among O(files) are removed.
    type: list
    elements: str
    default: []
author:
  - mailops.m365 developers (@mailops)
version_added: 0.1.0
extends_documentation_fragment:
  - mailops.m365.attributes
"""

EXAMPLES = r"""
---
- name: Deploy Postfix tables
  mailops.m365.relay_files:
    directories:
      - path: /etc/postfix/m365
    files:
      - path: /etc/postfix/m365/aliases
        content: |
          postmaster root
    purge: [/etc/postfix/m365/*.passwd]
"""

RETURN = r"""
---
paths:
  description: Paths that were created, changed or removed.
  returned: success
  type: list
  elements: str
cost:
  description: Requests, retries and seconds waited. The module sends no request to Microsoft 365.
  returned: always
  type: dict
  sample: {requests: 0, retries: 0, waited: 0.0}
failure:
  description: The parts of an error message, for use in tasks.
  returned: failure
  type: dict
  sample: {problems: []}
"""

from ..module_utils._entry_points.host_module import run_host_module
from ..module_utils.resources import relay_files


def main() -> None:
    """The entry point as a module; meta/runtime.yml routes the name to the in-process action."""
    run_host_module(relay_files.RESOURCE)


if __name__ == "__main__":
    main()
