"""A sandbox: the emulator with tenants whose keys and passwords are generated, for `make demo` and molecule.

python -m emulator.sandbox up DIRECTORY [--tenants FILE] [--record FILE]    start in the background
python -m emulator.sandbox down DIRECTORY                                   stop

DIRECTORY then holds `keys/`, the state file, and `vars.yml`, which the demo inventory reads.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import datetime
import json
import os
import secrets
import shutil
import signal
import string
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from emulator.ca import Authority
from emulator.launcher import ROOT, AdminClient, LaunchError

DEMO = Path(__file__).resolve().parent / "tenants" / "demo.yml"
SECRETS = ("contoso_client_secret", "fabrikam_pfx_password", "northwind_labels_password", "any_password")
APPLICATION_KEYS = ("fabrikam-automation", "northwind-automation", "contoso-sender", "northwind-sender")
RELAYS = ("relay.fabrikam.com",)


class Sandbox:
    """What lies in the directory of a playground."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.keys = self.directory / "keys"
        self.tls = self.directory / "tls"
        self.state_file = self.directory / "state.yml"
        self.ready_file = self.directory / "ready.json"
        self.log_file = self.directory / "emulator.log"
        self.vars_file = self.directory / "vars.yml"

    def make(self, tenants: Path = DEMO) -> dict[str, str]:
        """Keys, passwords and the state file, all new; the passwords."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.keys.mkdir(mode=0o700, parents=True)
        passwords = {name: secrets.token_urlsafe(18) for name in SECRETS}
        passwords |= _hosted_keys()
        passwords["dns_tsig_secret"] = base64.b64encode(secrets.token_bytes(32)).decode()
        for name in APPLICATION_KEYS:
            self._application_key(name, passwords["fabrikam_pfx_password"])
        authority = Authority(self.tls)
        for name in RELAYS:
            chain, key = authority.issue([name], client=True)
            _write(self.keys / f"{name}.pem", key + chain)
        template = string.Template(tenants.read_text(encoding="utf-8"))
        _write(self.state_file, template.substitute(passwords).encode())
        return passwords

    def _application_key(self, name: str, pfx_password: str) -> None:
        """A self-signed RSA certificate, as Entra takes it: .crt to register, .pem and .pfx to sign in with."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=365))
        leaf = builder.sign(key, hashes.SHA256())
        public = leaf.public_bytes(serialization.Encoding.PEM)
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        locked = serialization.BestAvailableEncryption(pfx_password.encode())
        _write(self.keys / f"{name}.crt", public)
        _write(self.keys / f"{name}.pem", private + public)
        _write(self.keys / f"{name}.pfx", pkcs12.serialize_key_and_certificates(name.encode(), key, leaf, None, locked))

    def start(
        self,
        passwords: dict[str, str],
        record: Path | None = None,
        patience: float = 180.0,
        *,
        options: Sequence[str] = (),
        inside: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Start the emulator in the background; the content of its ready file.

        `options`: more of its options; `inside`: what to put before its command.
        """
        command = [
            *inside,
            sys.executable,
            "-m",
            "emulator",
            "serve",
            *options,
            "--state",
            str(self.state_file),
            "--directory",
            str(self.tls),
        ]
        command += ["--ready-file", str(self.ready_file)] + (["--record", str(record.resolve())] if record else [])
        with self.log_file.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter
                command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        limit = time.monotonic() + patience
        while not self.ready_file.exists():
            if process.poll() is not None or time.monotonic() > limit:
                process.kill()
                raise LaunchError(self.log_file.read_text(encoding="utf-8") or "the emulator did not become ready in time")
            time.sleep(0.05)
        ready = dict(json.loads(self.ready_file.read_text(encoding="utf-8")))
        # JSON is YAML; the demo inventory reads it.
        variables = {name: ready[name] for name in ("m365_cloud", "m365_dns_servers")}
        variables |= {"demo_secrets": passwords, "demo_admin": ready["admin"], "hosted_smtp_ports": ready["hosted_smtp_ports"]}
        # From another network the admin port is not reachable, and no inventory there has Windows hosts.
        windows = [] if inside else AdminClient(ready["admin"]).windows_hosts()
        variables |= {"windows_hosts": {host["name"]: host for host in windows}}
        _write(self.vars_file, json.dumps(variables, indent=2).encode())
        return ready

    @property
    def ready(self) -> dict[str, Any]:
        return dict(json.loads(self.ready_file.read_text(encoding="utf-8")))

    @property
    def admin(self) -> AdminClient:
        return AdminClient(self.ready["admin"])

    def stop(self, patience: float = 15.0) -> None:
        """End the emulator, if it runs, and wait for its end."""
        if not self.ready_file.exists():
            return
        number = int(self.ready["pid"])
        with contextlib.suppress(ProcessLookupError):
            if self._is_ours(number):
                os.kill(number, signal.SIGTERM)
                limit = time.monotonic() + patience
                while time.monotonic() < limit and not _ended(number):
                    time.sleep(0.05)
                if not _ended(number):
                    os.kill(number, signal.SIGKILL)
        self.ready_file.unlink(missing_ok=True)

    def _is_ours(self, number: int) -> bool:
        """Whether the process with this id is the emulator of this directory: after a kill or a reboot it may be another."""
        try:
            return str(self.ready_file).encode() in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            return False


def _hosted_keys() -> dict[str, str]:
    """API keys of hosted relays, in their forms."""
    return {
        "sendgrid_api_key": f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}",
        "smtp2go_api_key": f"api-{secrets.token_hex(16)}",
        "mailgun_api_key": f"key-{secrets.token_hex(16)}",
    }


def _ended(number: int) -> bool:
    """Whether a process is gone; a child of ours is reaped on the way."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(number, os.WNOHANG)[0] == number
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m emulator.sandbox", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--tenants", type=Path, default=DEMO)
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    sandbox = Sandbox(arguments.directory)
    sandbox.stop()
    if arguments.action == "up":
        try:
            sandbox.start(sandbox.make(arguments.tenants), arguments.record)
        except LaunchError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
