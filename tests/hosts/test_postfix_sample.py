"""The sample of Postfix on settings sheets sends as it is printed, on a host with Debian's Postfix: with a password, and without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[Host]:
    lab.admin.put("contoso.com", "mailboxes", SENDER, password=PASSWORD, smtp_client_authentication_disabled=False)
    yield lab.boot("relay1", image.tested()[-1], installed=True)
    lab.remove("relay1")


def printed(server: str, port: int, user: str) -> str:
    """The sample as the Markdown sheet has it."""
    settings = {"server": server, "port": port, "from": SENDER, "user": user, "encryption": "STARTTLS", "password": "elsewhere"}
    entry: dict[str, Any] = {"name": "NAS", "address": SENDER, "kind": "nas", "product": "postfix", "method": "basic", "reason": "a test"}
    text = markdown.render(sheet("contoso", entry | {"settings": settings | {"oauth": None}}))
    [sample] = re.findall(r"## Sample.*?```ini\n(.*?)\n```", text, re.DOTALL)
    return str(sample)


@pytest.mark.parametrize(
    ("server", "port", "user", "via"), [("smtp.office365.com", 587, SENDER, "submission-login"), (MX, 25, "", "direct-send")]
)
def test_postfix_sends_with_the_sample(lab: Lab, host: Host, server: str, port: int, user: str, via: str) -> None:
    sample = printed(server, port, user)
    lab.admin.delete_messages()
    host.run("cp --no-clobber /etc/postfix/main.cf /root/main.cf")
    if user:
        [line] = re.findall(r"The file has the line (.*)", sample)
        host.write("/etc/postfix/sasl_passwd", line.replace("PASSWORD", PASSWORD) + "\n", 0o600)
    host.write("/etc/postfix/main.cf", f"{host.read('/root/main.cf')}\n{sample}\n")
    host.run("systemctl restart postfix")
    message = f"From: {SENDER}\nTo: {RECIPIENT}\nSubject: Test message\n\nSent with Postfix.\n"
    host.run(f"/usr/sbin/sendmail -f {SENDER} {RECIPIENT}", text=message)
    wait_until(lambda: lab.admin.messages(recipient=RECIPIENT), 60, lambda: host.run("postqueue -p"))
    (arrived,) = lab.admin.messages(recipient=RECIPIENT)
    assert (arrived["via"], arrived["authenticated_as"]) == (via, user or None)
