"""The samples of Postfix and Exim on settings sheets send as they are printed, with Debian's packages: with a password, and without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._sheets import markdown
from ansible_collections.mailops.m365.plugins.module_utils._sheets.sheet import sheet

from testbed import image
from testbed.host import Host
from testbed.lab import Lab

from .relay import wait_until

pytestmark = [pytest.mark.tier_all]
SENDER, PASSWORD = "nas@contoso.com", "correct horse"
RECIPIENT = "ada@contoso.com"
MX = "contoso-com.mail.protection.outlook.com"


def printed(product: str, server: str, port: int, user: str) -> str:
    """The sample as the Markdown sheet has it."""
    settings = {"server": server, "port": port, "from": SENDER, "user": user, "encryption": "STARTTLS", "password": "elsewhere"}
    entry: dict[str, Any] = {"name": "NAS", "address": SENDER, "kind": "nas", "product": product, "method": "basic", "reason": "a test"}
    text = markdown.render(sheet("contoso", entry | {"settings": settings | {"oauth": None}}))
    [sample] = re.findall(r"## Sample.*?```\w+\n(.*?)\n```", text, re.DOTALL)
    return str(sample)


def set_file(host: Host, path: str, sample: str) -> None:
    """The file as Debian has it, and the sample's lines, which count as they are the last ones."""
    host.run(f"cp --no-clobber {path} {path}.debian")
    host.write(path, f"{host.read(f'{path}.debian')}\n{sample}\n")


def postfix(host: Host, sample: str) -> None:
    for line in re.findall(r"The file has the line (.*)", sample):
        host.write("/etc/postfix/sasl_passwd", line.replace("PASSWORD", PASSWORD) + "\n", 0o600)
    set_file(host, "/etc/postfix/main.cf", sample)
    host.run("systemctl restart postfix")


def exim(host: Host, sample: str) -> None:
    for file, line in re.findall(r"# (/\S+) has the line (.*)", sample):
        host.write(file, line.replace("PASSWORD", PASSWORD) + "\n", 0o640)
        host.run(f"chgrp Debian-exim {file}")
    set_file(host, "/etc/exim4/update-exim4.conf.conf", sample)
    host.run("update-exim4.conf && systemctl restart exim4")


SETTERS: dict[str, Callable[[Host, str], None]] = {"postfix": postfix, "exim": exim}


@pytest.fixture(scope="module", params=SETTERS)
def product(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def host(lab: Lab, product: str) -> Iterator[Host]:
    lab.admin.put("contoso.com", "mailboxes", SENDER, password=PASSWORD, smtp_client_authentication_disabled=False)
    booted = lab.boot("relay1", image.tested()[-1], installed=product == "postfix")
    if product != "postfix":
        booted.run(f"DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends --no-download {image.OTHER}")
    yield booted
    lab.remove("relay1")


@pytest.mark.parametrize(
    ("server", "port", "user", "via"), [("smtp.office365.com", 587, SENDER, "submission-login"), (MX, 25, "", "direct-send")]
)
def test_sample_sends_as_it_is_printed(lab: Lab, host: Host, product: str, server: str, port: int, user: str, via: str) -> None:
    lab.admin.delete_messages()
    SETTERS[product](host, printed(product, server, port, user))
    message = f"From: {SENDER}\nTo: {RECIPIENT}\nSubject: Test message\n\nSent by the sample.\n"
    host.run(f"/usr/sbin/sendmail -f {SENDER} {RECIPIENT}", text=message)
    wait_until(lambda: lab.admin.messages(recipient=RECIPIENT), 60, lambda: host.run("mailq"))
    (arrived,) = lab.admin.messages(recipient=RECIPIENT)
    assert (arrived["via"], arrived["authenticated_as"]) == (via, user or None)
