#!/usr/bin/env python3
"""ansible-test sanity on the collection as it would be shipped, with uncommitted changes, from a package index alone.

ansible-test refuses a path that does not end in ansible_collections/<namespace>/<name>, hence the copy. Its virtual
environments are made in .cache, once; further arguments are handed on (`scripts/sanity.py --test pylint`).
"""

from __future__ import annotations

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
HOME = REPO / ".cache" / "ansible-test"
# What is not shipped has other rules (ruff, mypy, yamllint), but ansible-test reads its own settings from tests/.
SEEN = (
    "plugins/",
    "roles/",
    "playbooks/",
    "meta/",
    "docs/",
    "tests/config.yml",
    "tests/sanity/",
    "galaxy.yml",
    "requirements",
    "README",
    "CHANGELOG",
    "LICENSE",
)
# ansible-test fetches pip's installer from a host of its own; ensurepip does the same from the interpreter's own files.
GET_PIP = """\
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
requested = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "pip", "install", *requested])
"""


def copy_tree(target: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=REPO, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.splitlines():
        source = REPO / name
        if name.startswith(SEEN) and source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def prepare_home() -> None:
    """A home directory for ansible-test's virtual environments, with this user's settings of pip.

    ansible-test hands on no environment variables, so those of pip go into the file, too.
    """
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    internal = Path(sysconfig.get_path("purelib"), "ansible_test", "_internal", "python_requirements.py")
    for version in re.findall(r"pip='([\d.]+)'", internal.read_text("utf-8")):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(GET_PIP, "utf-8")
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True).stdout
    settings = configparser.RawConfigParser()
    settings.read_dict({"global": {"quiet": "2"}})
    for key, value in re.findall(r"^(?:global|:env:)\.([\w-]+)=(.*)$", listed, re.MULTILINE):
        settings["global"][key] = ast.literal_eval(value)
    file = HOME / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)  # an index's address may hold a password
    with file.open("w", encoding="utf-8") as stream:
        settings.write(stream)


def main() -> int:
    prepare_home()
    with tempfile.TemporaryDirectory(prefix="mailops-sanity-") as directory:
        target = Path(directory, "ansible_collections", "mailops", "m365")
        copy_tree(target)
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        tool = Path(sys.executable).parent / "ansible-test"
        command = [str(tool), "sanity", "--color", "no", "--python", python, *sys.argv[1:]]
        environment = {**os.environ, "HOME": str(HOME), "LC_ALL": "C.UTF-8"}
        environment["PATH"] = f"{tool.parent}{os.pathsep}{environment['PATH']}"
        return subprocess.run(command, cwd=target, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
