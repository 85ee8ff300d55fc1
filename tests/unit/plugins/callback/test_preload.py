"""The callback loads the collection's code once in the parent: a worker that loads a file costs every task of every tenant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).parents[4]
SCRIPT = """
import json, sys
from ansible.plugins.loader import callback_loader, filter_loader, init_plugin_loader
init_plugin_loader()
callback = callback_loader.get("mailops.m365.summary")
callback.preload()
before = set(sys.modules)
filter_loader.get("mailops.m365.tenant_relays")
print(json.dumps([sorted(before), sorted(set(sys.modules) - before)]))
"""


def test_the_parent_has_loaded_every_resource_and_every_filter() -> None:
    environment = {**os.environ, "ANSIBLE_CONFIG": str(REPO / "ansible.cfg")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=REPO, env=environment, check=True, capture_output=True, text=True)
    loaded, later = json.loads(done.stdout.splitlines()[-1])
    prefix = "ansible_collections.mailops.m365.plugins"
    resources = {f"{prefix}.module_utils.resources.{path.stem}" for path in (REPO / "plugins/module_utils/resources").glob("[!_]*.py")}
    assert resources <= set(loaded)
    assert later == []
    renderers = {f"{prefix}.module_utils._report.audit_files.{name}" for name in ("page", "rendering", "sarif", "tables", "metrics")}
    assert not renderers & set(loaded), "only a run that audited a tenant needs them, at its end"
