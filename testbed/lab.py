"""A lab: the emulator at Microsoft's names and ports, test hosts, devices, and an inventory for Ansible.

The emulator's authority is trusted by the hosts and by what runs in the hub; every name of Microsoft's leads to it. So roles run
there as they do elsewhere, with no variable that says where Microsoft 365 is.
"""

from __future__ import annotations

import json
import shutil
import string
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.launcher import AdminClient
from emulator.sandbox import Sandbox
from testbed import image
from testbed.addresses import ACS, FIRST_DEVICE, FIRST_OTHER_HOST, HOSTED, HOSTS, HUB, HVE, OUTSIDER, address
from testbed.host import Host
from testbed.network import Device, Network

TENANTS = Path(__file__).resolve().parent / "tenants.yml"
DEVICES = {"printer": FIRST_DEVICE, "scanner": FIRST_DEVICE + 1, "erp": FIRST_DEVICE + 2, "outsider": OUTSIDER}
# Microsoft's own ports.
_PORTS = {"https": 443, "smtp": 587, "mx": 25, "hve": 587, "acs": 587, "dns": 53}
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"


class Lab:
    """A lab in a directory; `up` creates it on a running network, and it ends with the network."""

    def __init__(self, directory: Path, network: Network) -> None:
        self.directory, self.network = directory.resolve(), network
        self.sandbox = Sandbox(self.directory / "sandbox")
        self.inventory = self.directory / "inventory.yml"
        self._file = self.directory / "lab.json"
        self.hosts: dict[str, Host] = {}
        self.devices: dict[str, Device] = {}
        self._is_up = False
        if self._file.exists():
            known = json.loads(self._file.read_text(encoding="utf-8"))
            # What stood on a network that was killed went with it; the numbers of its processes are others' by now.
            self._is_up = known.get("network") == network.mark
            if self._is_up:
                self.hosts = {name: self._host(name, release, number) for name, (release, number) in known["hosts"].items()}

    # -- life -----------------------------------------------------------------------------------------------------

    def up(self, hosts: Mapping[str, str], *, tenants: Path = TENANTS, record: Path | None = None) -> None:
        """Start the emulator and the devices, and boot the hosts: name -> release."""
        self.directory.mkdir(parents=True, exist_ok=True)
        hosts = {name: image.in_this_run(release) for name, release in hosts.items()}
        images = {release: image.root(release) for release in sorted(set(hosts.values()))}
        self._emulator(tenants, record)
        self._keys()
        self.devices = {name: Device(self.network, name, number) for name, number in DEVICES.items()}
        self._write()
        for name, release in hosts.items():
            self._start(name, release, images[release])
        for host in self.hosts.values():
            host.wait()

    def boot(self, name: str, release: str, *, installed: bool = False) -> Host:
        """One more host; `installed`: with the packages of a relay."""
        release = image.in_this_run(release)
        host = self._start(name, release, image.relay_root(release) if installed else image.root(release))
        host.wait()
        return host

    def _start(self, name: str, release: str, root: Path) -> Host:
        taken = {host.number for host in self.hosts.values()} | set(HOSTS.values())
        number = HOSTS.get(name) or min(set(range(FIRST_OTHER_HOST, FIRST_DEVICE)) - taken)
        host = self.hosts[name] = self._host(name, release, number)
        self._write()
        self._seed(host, root)
        host.start(root)
        return host

    def remove(self, name: str) -> None:
        """One host less."""
        self.hosts.pop(name).stop()
        self._write()

    def down(self) -> None:
        """Stop what `up` started, on a network that goes on."""
        if not self._is_up:
            return
        for host in self.hosts.values():
            host.stop()
        for name in DEVICES:
            self.network.remove_namespace(name)
        self.sandbox.stop()
        self._file.unlink()
        self._is_up = False

    @property
    def admin(self) -> AdminClient:
        """The emulator's admin API, which listens on the hub's loopback: for who has entered the network."""
        return self.sandbox.admin

    @property
    def ca(self) -> Path:
        return self.sandbox.tls / "ca.pem"

    # -- its parts ------------------------------------------------------------------------------------------------

    def _host(self, name: str, release: str, number: int) -> Host:
        return Host(self.network, self.directory, name, release, number)

    def _emulator(self, tenants: Path, record: Path | None) -> None:
        names = {"hub": HUB, "hve": HVE, "acs": ACS, "outsider": address(OUTSIDER)}
        names |= HOSTED | {name: address(number) for name, number in HOSTS.items()}
        filled = self.directory / "tenants.yml"
        filled.write_text(string.Template(tenants.read_text(encoding="utf-8")).safe_substitute(names), encoding="utf-8")
        passwords = self.sandbox.make(filled)
        options = [f"--host={HUB}", f"--hve-host={HVE}", f"--acs-host={ACS}", *(f"--{name}-port={port}" for name, port in _PORTS.items())]
        options += [f"--hosted-host={name}={place}" for name, place in HOSTED.items()]
        self.sandbox.start(passwords, record, options=options, inside=self.network.inside)
        with self.network.trust.open("ab") as bundle:
            bundle.write(b"\n" + self.ca.read_bytes())

    def _keys(self) -> None:
        """The key that opens the hosts."""
        folder = self.directory / "ssh"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "testbed", "-f", folder / "key"], check=True)

    def _seed(self, host: Host, root: Path) -> None:
        """What a host has beside its image: who may get in, whom it trusts and asks for names."""
        shutil.rmtree(host.directory, ignore_errors=True)
        seed, ca = host.directory / "seed", self.ca.read_bytes()
        hashed = (
            subprocess.run(["openssl", "x509", "-noout", "-subject_hash"], input=ca, check=True, capture_output=True)
            .stdout.decode()
            .strip()
        )
        files = {
            "root/.ssh/authorized_keys": (self.directory / "ssh" / "key.pub").read_bytes(),
            # The journal is the tests' to read: who came in by SSH is not what they look for.
            "etc/ssh/sshd_config.d/testbed.conf": b"LogLevel ERROR\nUsePAM no\n",
            "etc/hostname": f"{host.name}\n".encode(),
            "etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{host.address} {host.name}.contoso.com {host.name}\n".encode(),
            "etc/resolv.conf": f"nameserver {HUB}\noptions timeout:2 attempts:2\n".encode(),
            # The package lists are as fresh as the image: there is no mirror to ask for newer ones.
            "var/lib/apt/periodic/update-success-stamp": b"",
            "usr/local/share/ca-certificates/emulator.crt": ca,
            f"etc/ssl/certs/{hashed}.0": ca,
            _BUNDLE: (root / _BUNDLE).read_bytes() + b"\n" + ca,
        }
        for name, content in files.items():
            path = seed / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        for private in ("root", "root/.ssh"):
            (seed / private).chmod(0o700)

    def _write(self) -> None:
        """What there is: for later processes, and for Ansible in the hub how to reach it (JSON is YAML)."""
        hosts = {one.name: (one.release, one.number) for one in self.hosts.values()}
        self._file.write_text(json.dumps({"network": self.network.mark, "hosts": hosts}), encoding="utf-8")
        self._is_up = True
        passwords = json.loads(self.sandbox.vars_file.read_text(encoding="utf-8"))["demo_secrets"]
        local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        tenant = {
            **local,
            "m365_tenant": "contoso.com",
            "m365_client_id": "6a1d0b5e-1111-4c1e-9b3a-0a5f3d1c0001",
            "m365_client_secret": passwords["contoso_client_secret"],
            "m365_journal_dir": str(self.directory / "journal"),
        }
        relays: dict[str, Any] = {host.name: self._variables(host) for host in self.hosts.values()}
        devices = {name: {**local, "device_namespace": name, "device_address": address(number)} for name, number in DEVICES.items()}
        document = {
            "all": {
                "vars": {"testbed_directory": str(self.directory), "testbed_admin": self.sandbox.ready["admin"]},
                "children": {"relays": {"hosts": relays}, "tenants": {"hosts": {"contoso": tenant}}, "devices": {"hosts": devices}},
            }
        }
        self.inventory.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        self.inventory.chmod(0o600)

    @staticmethod
    def _variables(host: Host) -> dict[str, Any]:
        return {
            "ansible_host": host.address,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(host.key),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            "ansible_python_interpreter": "/usr/bin/python3",
        }
