"""The server certificate that role relay_host creates: kept while it can be used with its key, and created anew with it otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from .test_playbooks import REPO

NAME = "relay1.contoso.com"
TASKS = REPO / "roles/relay_host/tasks/tls_certificate/present.yml"


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Files:
    """The certificate and its key, in a directory."""

    certificate: Path
    key: Path

    def create(self, name: str = NAME, days: int = 400) -> None:
        """As the role creates them."""
        subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        files = ["-keyout", str(self.key), "-out", str(self.certificate)]
        openssl("req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", *files, "-days", str(days), *subject)

    def texts(self) -> tuple[str, str]:
        return self.certificate.read_text(), self.key.read_text()

    def other_key(self) -> None:
        openssl("genrsa", "-out", str(self.key), "2048")


# What is broken -> how; "" is a usable pair.
BROKEN: dict[str, Callable[[Files], None]] = {
    "": Files.create,
    "nothing": lambda _files: None,
    "key": lambda files: (files.create(), files.key.unlink())[1],
    "certificate": lambda files: (files.create(), files.certificate.unlink())[1],
    "empty-key": lambda files: (files.create(), files.key.write_text(""))[0],
    "key-of-another": lambda files: (files.create(), files.other_key())[1],
    "name-of-another": lambda files: files.create("relay2.contoso.com"),
    "expires-soon": lambda files: files.create(days=29),
}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Files]:
    """A relay host for each of them; its files."""
    made = {}
    for name, create in BROKEN.items():
        directory = tmp_path_factory.mktemp("certificate")
        made[name] = Files(directory / "server.cert.pem", directory / "server.key.pem")
        create(made[name])
    return made


def run(directory: Path, hosts: dict[str, Files]) -> dict[str, bool]:
    """Whether the role changes anything, and reloads Postfix, on each host."""
    reload = {"name": "Reload Postfix", "ansible.builtin.copy": {"content": "", "dest": "{{ __relay_config.server_key }}.reloaded"}}
    play: dict[str, Any] = {"hosts": "all", "connection": "local", "gather_facts": False, "handlers": [reload]}
    play["tasks"] = [{"ansible.builtin.include_tasks": str(TASKS)}]
    (directory / "play.yml").write_text(yaml.safe_dump([play]))
    variables = {
        f"host-{name or 'usable'}": {
            "__relay_config": {"hostname": NAME, "server_certificate": str(files.certificate), "server_key": str(files.key)}
        }
        for name, files in hosts.items()
    }
    (directory / "hosts.yml").write_text(
        yaml.safe_dump({"all": {"hosts": variables, "vars": {"ansible_python_interpreter": sys.executable}}})
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_"))}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(directory / "hosts.yml"), str(directory / "play.yml")]
    environment = clean | {"ANSIBLE_CONFIG": str(REPO / "ansible.cfg")}
    done = subprocess.run(command, cwd=REPO, env=environment, check=False, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    marks = {name: files.key.with_name(f"{files.key.name}.reloaded") for name, files in hosts.items()}
    reloaded = {name: mark.exists() for name, mark in marks.items()}
    for mark in marks.values():
        mark.unlink(missing_ok=True)
    return reloaded


def test_certificate_that_cannot_be_used_is_created_anew_with_its_key(tmp_path: Path, hosts: dict[str, Files]) -> None:
    """A certificate without its key as well: Postfix starts with it, and then offers no TLS."""
    usable = hosts[""].texts()
    assert run(tmp_path, hosts) == {name: name != "" for name in BROKEN}
    assert hosts[""].texts() == usable
    created = {}
    for name, files in hosts.items():
        public = openssl("x509", "-in", str(files.certificate), "-noout", "-pubkey", "-checkhost", NAME)
        assert "does match" in public, name
        assert openssl("pkey", "-pubout", "-in", str(files.key)) in public, name
        openssl("x509", "-in", str(files.certificate), "-noout", "-checkend", "2592000")
        assert files.key.stat().st_mode & 0o077 == 0, name
        created[name] = files.texts()
    assert run(tmp_path, hosts) == dict.fromkeys(BROKEN, False), "a second run changes nothing"
    assert {name: files.texts() for name, files in hosts.items()} == created
