"""Evaluates role relay_host's own variables with Ansible: reads [variables, name] as JSON lines, and writes each value as a JSON line.

A program of its own: Ansible's plugin loader replaces the import of collections in its process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parent.parent.parent / "roles" / "relay_host"
FACTS = {"inventory_hostname": "relay1.contoso.com", "hostvars": {}, "ansible_facts": {}, "ansible_check_mode": False}


def main() -> None:
    init_plugin_loader()
    loader = DataLoader()
    defaults, role = (loader.load_from_file(str(ROLE / folder / "main.yml"), trusted_as_template=True) for folder in ("defaults", "vars"))
    for line in sys.stdin:
        variables, name = json.loads(line)
        templar = Templar(loader=loader, variables={**defaults, **variables, **role, **FACTS, "role_path": str(ROLE)})
        value = templar.template(trust_as_template(f"{{{{ {name} }}}}"))
        sys.stdout.write(json.dumps(value) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
