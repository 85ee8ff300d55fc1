"""Problems on the host itself are reported in one sentence, before a file is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testbed.host import Host
from testbed.lab import Lab

from .smarthost_relay import try_role

KEYS = """
cd /root
for name in one other; do openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=relay1 -keyout $name.key -out $name.pem 2>/dev/null; done
cat one.key one.pem > both.pem
"""


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[Host]:
    booted = lab.boot("bare", "trixie")
    booted.run(KEYS)
    yield booted
    lab.remove("bare")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"relay_tls_certificate": "/root/one.pem", "relay_tls_key": "/root/other.key"}, "the key belongs to another certificate"),
        ({"relay_tls_certificate": "/root/none.pem", "relay_tls_key": "/root/one.key"}, "No such file or directory"),
        (
            {"relay_connector_certificate": "/root/one.key", "relay_connector_key": "/root/one.key"},
            "relay_connector_certificate is /root/one.key",
        ),
        ({"relay_legacy_address": "192.0.2.9"}, "relay_legacy_address is 192.0.2.9, which this host does not have"),
    ],
    ids=["pair", "missing", "no-certificate", "address"],
)
def test_invalid_host_setting_is_refused(host: Host, lab: Lab, variables: dict[str, str], sentence: str) -> None:
    done = try_role(lab, host.name, entry="config/validate", **variables)
    assert done.returncode == 2, done.stdout
    assert sentence in " ".join(done.stdout.split()), done.stdout
    assert host.call("ls /etc/mailops-relay /etc/postfix").returncode == 2, "no file was written"


def test_key_and_certificate_in_one_file_and_a_host_address_are_accepted(host: Host, lab: Lab) -> None:
    files = {"relay_tls_certificate": "/root/both.pem", "relay_tls_key": "/root/both.pem"}
    done = try_role(lab, host.name, entry="config/validate", relay_legacy_address=host.address, **files)
    assert done.returncode == 0, done.stdout


def test_floating_address_is_accepted_with_ip_nonlocal_bind(host: Host, lab: Lab) -> None:
    lab.network.run(["ip", "netns", "exec", host.name, "sysctl", "-q", "-w", "net.ipv4.ip_nonlocal_bind=1"])
    done = try_role(lab, host.name, entry="config/validate", relay_legacy_address="192.0.2.9")
    assert done.returncode == 0, done.stdout
