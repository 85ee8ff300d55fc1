# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._engine.host_engine import run
from ansible_collections.mailops.m365.plugins.module_utils.resources import relay_agent


@pytest.fixture
def resource(tmp_path: Path) -> relay_agent.RelayAgent:
    (tmp_path / "usr/local/sbin").mkdir(parents=True)
    return relay_agent.RelayAgent(tmp_path)


def converge(resource: relay_agent.RelayAgent, state: str = "present", check_mode: bool = False) -> dict[str, Any]:
    return run(resource, {"state": state}, check_mode=check_mode)


def test_agent_is_installed_and_a_second_run_changes_nothing(resource: relay_agent.RelayAgent) -> None:
    predicted = converge(resource, check_mode=True)
    assert predicted["changed"]
    assert not (resource.root / "usr/local/lib").exists(), "check mode writes nothing"
    done = converge(resource)
    assert done["files"] == predicted["files"]
    assert done["diff"]["before"] == ""
    assert not converge(resource)["changed"]
    assert (resource.root / "usr/local/sbin/mailops-relay").stat().st_mode & 0o777 == 0o755


def test_other_users_can_run_it_whatever_the_umask(resource: relay_agent.RelayAgent) -> None:
    before = os.umask(0o077)
    try:
        converge(resource)
    finally:
        os.umask(before)
    library = resource.root / "usr/local/lib/mailops-relay"
    assert {path.stat().st_mode & 0o777 for path in [library, *library.rglob("*")]} == {0o755, 0o644}


def test_installed_agent_runs_without_the_collection(resource: relay_agent.RelayAgent) -> None:
    converge(resource)
    library = resource.root / "usr/local/lib/mailops-relay"
    for module in ("oauth.tokens", "oauth.token_endpoint", "postfix.config_check", "monitor.service", "cli"):
        name = f"mailops_m365._relay.agent.{module}"
        code = f"import sys, importlib; sys.path.insert(0, {str(library)!r}); print(importlib.import_module({name!r}).__name__)"
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, cwd="/")
        assert done.stdout.strip() == name


def test_only_changed_and_obsolete_files_are_written_or_removed(resource: relay_agent.RelayAgent) -> None:
    converge(resource)
    folder = resource.root / "usr/local/lib/mailops-relay/mailops_m365/_relay/agent/oauth"
    (folder / "tokens.py").write_text("changed")
    (folder / "earlier.py").write_text("gone since")
    done = converge(resource)
    assert [os.path.basename(path) for path in done["files"]] == ["earlier.py", "tokens.py"]
    assert not (folder / "earlier.py").exists()
    assert "class TokenRenewal" in (folder / "tokens.py").read_text()


def test_agent_is_removed_with_its_caches(resource: relay_agent.RelayAgent) -> None:
    converge(resource)
    library = resource.root / "usr/local/lib/mailops-relay"
    (library / "mailops_m365/__pycache__").mkdir()
    (library / "mailops_m365/__pycache__/x.pyc").touch()
    assert converge(resource, "absent")["changed"]
    assert not library.exists()
    assert not (resource.root / "usr/local/sbin/mailops-relay").exists()
    assert not converge(resource, "absent")["changed"]
