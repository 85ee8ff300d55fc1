"""The process: its command line, its ready file, its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from emulator.launcher import ROOT, Emulator, LaunchError
from emulator.local_addresses import has_default_route
from tests.emulator.conftest import Api


def test_ready_line_names_everything(tmp_path: Path, state: dict[str, Any]) -> None:
    file, ready = tmp_path / "state.json", tmp_path / "ready.json"
    file.write_text(json.dumps(state))
    command = [sys.executable, "-m", "emulator", "serve", "--state", str(file), "--directory", str(tmp_path), "--ready-file", str(ready)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            result = json.loads(line)
            assert ready.read_text() == line
            assert result["pid"] == process.pid
            assert result["admin"].startswith("http://127.0.0.1:")
            assert result["m365_dns_servers"][0].startswith("127.0.0.1:")
            cloud = result["m365_cloud"]
            mail = {f"{service}_{part}" for service in ("smtp", "mx", "hve", "acs") for part in ("host", "port")}
            assert cloud.keys() == {"authority", "graph", "exchange", "management", "reports", "ca_file"} | mail
            assert Path(cloud["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
            assert process.stdout.read() == ""
        finally:
            process.kill()  # the end of the block waits for it


def test_a_bad_state_ends_the_start_with_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"tenants\[0\]\.initial_domain: is required"):
        Emulator({"tenants": [{}]}, directory=tmp_path)


def test_a_port_that_is_taken_ends_the_start_with_a_sentence(tmp_path: Path, state: dict[str, Any]) -> None:
    file = tmp_path / "state.json"
    file.write_text(json.dumps(state))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "emulator", "serve", "--state", str(file), "--directory", str(tmp_path)]
        command += ["--https-port", str(taken.getsockname()[1])]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=20)
    assert (result.returncode, result.stdout) == (1, "")
    assert "Address already in use" in result.stderr
    assert "Traceback" not in result.stderr


# The second is the test network's, which is served only where no route leads out.
@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.10", "example.org"])
def test_only_loopback_is_served(address: str) -> None:
    if address == "198.51.100.10" and not has_default_route():
        pytest.skip("this machine has no default route, and so may be a test network")
    command = [sys.executable, "-m", "emulator", "serve", "--state", "x", "--host", address]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "loopback" in result.stderr


def test_the_authority_is_made_once(tmp_path: Path, state: dict[str, Any]) -> None:
    contents = []
    for _ in range(2):
        with Emulator(state, directory=tmp_path) as emulator:
            contents.append(Path(emulator.cloud["ca_file"]).read_bytes())
    assert contents[0] == contents[1]


def test_ten_thousand_mailboxes_start_and_read_quickly(tmp_path: Path, state: dict[str, Any]) -> None:
    document = json.loads(json.dumps(state))
    document["tenants"][0]["mailboxes"] = [{"generate": 10000, "address": "user{n:05d}@contoso.com", "display_name": "User {n}"}]
    begin = time.monotonic()
    with Emulator(document, directory=tmp_path) as emulator:
        api = Api(emulator)
        url, result = api.exchange_url("?$select=Guid,PrimarySmtpAddress,SmtpClientAuthenticationDisabled"), 0
        while url:
            body = api.exchange("Get-CASMailbox", {"ResultSize": "Unlimited"}, url, Prefer="odata.maxpagesize=1000").json()
            result, url = result + len(body["value"]), body.get("@odata.nextLink", "")
    assert result == 10000
    assert time.monotonic() - begin < 120  # two on an idle machine; a scan for each page would take many minutes
