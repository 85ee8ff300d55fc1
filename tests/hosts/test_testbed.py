"""The test hosts themselves: they boot, they trust the emulator's CA, and they are removed completely."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import image
from testbed.host import Host
from testbed.lab import Lab
from testbed.network import INSIDE, Network

from .relay import BUSY, wait_until

REPO = Path(__file__).resolve().parent.parent.parent
LEFT = f"left{os.getpid()}"  # a host of this run, as the machine outside sees it: other runs may be testing the same


@pytest.fixture(scope="module", params=image.tested())
def host(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Host]:
    yield lab.boot(f"test{request.param}", request.param)
    lab.remove(f"test{request.param}")


def left(directory: Path, namespace: str) -> dict[str, list[str]]:
    """What the host outside has of a network: processes, mounts, names of namespaces, control groups."""
    pids = [path.parent.parent.name for path in Path("/proc").glob("[0-9]*/ns/pid") if _link(path) == namespace]
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(directory) in line]
    names = [path.name for path in Path("/run/netns").glob("*") if path.name == LEFT]
    groups = [str(path) for path in Path("/sys/fs/cgroup").rglob(f"mailops-test-*-{LEFT}*")]
    machines = [str(path) for path in Path("/run/systemd/nspawn").rglob(f"{LEFT}*")]
    return {"processes": pids, "mounts": mounts, "namespaces": names, "groups": groups, "machines": machines}


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""


def test_release_boots_and_reboots(host: Host) -> None:
    assert f"VERSION_CODENAME={host.release}" in host.read("/etc/os-release")
    assert host.run("systemctl is-system-running --wait").strip() == "running"
    host.reboot()
    assert host.run("systemctl is-system-running --wait").strip() == "running"


def test_only_microsofts_names_resolve_to_the_emulator(host: Host) -> None:
    names = "smtp.office365.com login.microsoftonline.com graph.microsoft.com outlook.office365.com contoso-com.mail.protection.outlook.com"
    assert {line.split()[0] for line in host.run(f"getent ahostsv4 {names}").splitlines()} == {"198.51.100.10"}
    assert host.call("getent hosts example.org").returncode == 2
    assert host.run("hostname --fqdn").strip() == f"{host.name}.contoso.com"
    assert host.call("ping -c 1 -W 1 192.0.2.1").returncode != 0


@pytest.mark.parametrize("server", ["smtp.office365.com:587", "contoso-com.mail.protection.outlook.com:25", "smtp.azurecomm.net:587"])
def test_openssl_on_a_host_verifies_the_service(host: Host, server: str) -> None:
    name = server.partition(":")[0]
    output = host.run(
        f"openssl s_client -starttls smtp -connect {server} -verify_hostname {name} -verify_return_error -brief </dev/null 2>&1"
    )
    assert "Verification: OK" in output


def test_client_installs_offline_and_verifies_the_service(host: Host) -> None:
    host.run("apt-get install --quiet --yes --no-install-recommends swaks libnet-ssleay-perl")
    command = "swaks --server smtp.office365.com --port 587 --tls --tls-verify --quit-after TLS --to ada@contoso.com"
    output = host.run(command)
    assert "=== TLS started with cipher" in output
    # The same without the emulator's CA fails.
    refused = host.call(f"{command} --tls-ca-path /etc/ssl/private")
    assert refused.returncode != 0, refused.stdout


def test_host_recovers_from_a_loss_of_power(host: Host) -> None:
    host.write("/root/kept", "kept\n")
    host.kill("cron.service")
    host.lose_power()
    assert host.call("true").returncode == 255  # ssh's exit status for a failed connection
    host.power_on()
    assert host.read("/root/kept") == "kept\n"
    # SSH answers before all services are started.
    wait_until(lambda: host.call("systemctl is-active cron.service").returncode == 0, 60, lambda: host.run("systemctl status cron || true"))
    assert "-- No entries --" not in host.journal("--unit=ssh.service")


def test_services_of_two_hosts_are_independent(host: Host, lab: Lab) -> None:
    other = lab.boot("other", host.release)
    try:
        host.run("systemctl stop cron.service", timeout=300)
        # Of processes that systemd cannot see ending it reports a timeout, after 90 s.
        assert host.run("systemctl show --property=Result --value cron.service").strip() == "success"
        assert other.run("systemctl is-active cron.service").strip() == "active"
        host.run("systemctl start cron.service")
        assert host.call(["ping", "-c", "1", "-W", "60", other.address]).returncode == 0
    finally:
        lab.remove("other")


def test_devices_have_their_own_addresses(host: Host, lab: Lab) -> None:
    for name, device in lab.devices.items():
        assert f"bytes from {device.address}" in host.run(["ping", "-c", "1", "-W", "60", device.address]), name
        client = "import socket; print(socket.create_connection(('198.51.100.10', 587)).getsockname()[0])"
        assert device.call([sys.executable, "-c", client]).stdout.strip() == device.address


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_lab_is_removed_completely(tmp_path: Path, crash: bool) -> None:
    up = f"{sys.executable} -m testbed up {tmp_path} --host {LEFT}=trixie && echo up ${INSIDE} && cat"
    command = [sys.executable, "-m", "testbed", "network", "sh", "-c", up]
    run = subprocess.Popen(command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    network = is_up(run)
    machine = f"--machine={LEFT}".encode()
    namespace = next(_link(path) for path in Path("/proc").glob("[0-9]*/ns/pid") if machine in _command(path.parent.parent))
    assert left(tmp_path, namespace)["processes"]
    if crash:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        wait_until(lambda: not left(tmp_path, namespace)["processes"], 60, lambda: left(tmp_path, namespace))
        clear(network)
    else:
        run.communicate(timeout=BUSY * 60)
        assert run.returncode == 0
    assert not network.exists()
    wait_until(lambda: not any(left(tmp_path, namespace).values()), 60, lambda: left(tmp_path, namespace))


def test_lab_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    lab = f"{tmp_path}/lab"
    network, testbed = [sys.executable, "-m", "testbed", "network", "sh", "-c"], f"{sys.executable} -m testbed"
    up, down = f"{testbed} up {lab} --host {LEFT}=trixie", f"{testbed} down {lab}"
    first = [*network, f"{up} && echo up ${INSIDE} && cat"]
    for then in (f"{down} && {up} && {down}", f"{up} && {down}"):
        with subprocess.Popen(first, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            killed = is_up(run)
            run.kill()
        done = subprocess.run([*network, then], cwd=REPO, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not Path(lab).exists()
        clear(killed)


def is_up(run: subprocess.Popen[bytes]) -> Path:
    """Wait for the line in which a run says so; its network's directory."""
    assert run.stdout is not None
    word, network = run.stdout.readline().split()
    assert word == b"up"
    return Path(network.decode())


def clear(network: Path) -> None:
    """What the next run does with a network that a killed one left more than a minute ago; others may just be made."""
    os.utime(network, (0, 0))

    def is_gone() -> bool:
        Network.clear(network.parent)
        return not network.exists()

    wait_until(is_gone, 60, str(network))


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
