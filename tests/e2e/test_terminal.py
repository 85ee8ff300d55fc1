"""The summary in a terminal of 120 columns: with colour and without, it has the same lines, and none is broken by the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .test_playbooks import REPO, Playground, playground, shared_playground  # noqa: F401 (fixtures)

COLUMNS = 120
CODE = re.compile(r"\x1b\[[\d;]*m")
COLOURED = re.compile(r"\x1b\[[\d;]+m[^\x1b]+\x1b\[0m")
TIME = re.compile(r"\d+(\.\d)? s\b")


def in_terminal(playground: Playground, *options: str, colour: bool, columns: int = COLUMNS) -> str:  # noqa: F811
    """What a run of playbook site prints to a terminal of that width."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "ANSIBLE_", "MAILOPS_", "NO_COLOR"))}
    environment |= {
        "ANSIBLE_CONFIG": str(REPO / "ansible.cfg"),
        "MAILOPS_DEMO_DIRECTORY": str(playground.sandbox.directory),
        "TERM": "xterm-256color",
        "ANSIBLE_FORCE_COLOR" if colour else "ANSIBLE_NOCOLOR": "1",
    }
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(REPO / "inventories" / "demo"), *options]
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    with subprocess.Popen([*command, str(REPO / "playbooks" / "site.yml")], cwd=REPO, env=environment, stdout=terminal) as process:
        os.close(terminal)
        text = b"".join(chunks(controller)).decode()
        process.wait(timeout=60)
    os.close(controller)
    return text.replace("\r\n", "\n")


def chunks(descriptor: int) -> Iterator[bytes]:
    """What a terminal gets, until its program ends."""
    while True:
        try:
            chunk = os.read(descriptor, 65_536)
        except OSError:  # EIO: no process has the terminal open any more
            return
        if not chunk:
            return
        yield chunk


def summary(text: str) -> list[str]:
    """The lines from the totals on."""
    lines = text.rstrip("\n").split("\n")
    first = next(number for number, line in enumerate(lines) if CODE.sub("", line).startswith("tenants: "))
    return lines[first:]


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory beside the demo's, whose tenants fail in two ways."""
    path = tmp_path_factory.mktemp("inventory") / "broken.yml"
    connector = {"name": "Connector of the warehouse in Rotterdam, outbound", "sender_ip_addresses": ["10.0.0.5"]}
    hosts = {"fabrikam": {"m365_client_secret": "a second credential"}, "northwind": {"inbound_connector_connectors": [connector]}}
    path.write_text(yaml.safe_dump({"tenants": {"hosts": hosts}}))
    return path


def test_the_summary_fits_into_the_terminal_with_and_without_colour(playground: Playground, broken: Path) -> None:  # noqa: F811
    options = ("-i", str(broken), "--check")
    coloured, plain = (summary(in_terminal(playground, *options, colour=colour)) for colour in (True, False))
    assert [TIME.sub("n s", CODE.sub("", line)) for line in coloured] == [TIME.sub("n s", line) for line in plain]
    assert {"NEEDS ATTENTION"} <= set(plain)
    assert plain[0].startswith("tenants: 1 would change, 2 failed; ")
    for line in plain:
        assert len(line) <= COLUMNS or line.strip().startswith("v=spf1"), line
        assert line == line.rstrip()
    assert not [line for line in plain if CODE.search(line)]
    for line in filter(None, coloured):
        assert COLOURED.fullmatch(line) or not CODE.search(line), f"a colour that does not end with its line: {line!r}"
    colours = {CODE.findall(line)[0] for line in coloured if CODE.search(line)}
    assert len(colours) >= 3, "headings, failures, and what would change"
    assert_aligned(plain)


def assert_aligned(plain: list[str]) -> None:
    """A line of NEEDS ATTENTION that is too long goes on in the column of the problem, and breaks between words."""
    begin = plain.index("NEEDS ATTENTION") + 1
    block = plain[begin : plain.index("", begin)]
    indent = len(re.match(r"(\S+ +)", block[0])[1])  # type: ignore[index]
    assert any(line.startswith("fabrikam") for line in block)
    for line in block:
        host, text = line[:indent], line[indent:]
        assert not host.strip() or text[:1].strip(), line
        assert len(line) <= COLUMNS or "v=spf1" in line
    words = " ".join(" ".join(line[indent:].strip() for line in block).split())
    assert "Both m365_client_secret and m365_certificate_path are set: give one of them." in words
    assert "Connector of the warehouse in Rotterdam, outbound: sender_ip_addresses holds '10.0.0.5', which is not" in words
