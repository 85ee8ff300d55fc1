"""SMTPUTF8 (RFC 6531) at a relay: offered and passed on to a server that offers it, or not offered."""

from __future__ import annotations

from collections.abc import Sequence

from testbed.host import Host
from testbed.network import Device

from .relay import smtp_session, wait_until
from .smarthost_relay import Upstream

# As the session sends them: bytes of UTF-8.
RECIPIENT, TEXT = ("ü@example.net".encode().decode("latin-1"), "Grüße".encode().decode("latin-1"))
OPTION = " SMTPUTF8"


def commands(sender: str, option: str, recipient: str = RECIPIENT) -> list[str]:
    """A message with UTF-8 in its recipient and its subject; `option`: of MAIL."""
    mail = [f"MAIL FROM:<{sender}>{option}\r\n", f"RCPT TO:<{recipient}>\r\n", "DATA\r\n"]
    return ["EHLO copier\r\n", *mail, f"From: {sender}\r\nSubject: {TEXT}\r\n\r\n{TEXT}\r\n.\r\n"]


def assert_accepted(replies: Sequence[str]) -> None:
    """Of `commands` with the option, the greeting first."""
    assert "SMTPUTF8" in replies[1]
    assert [reply[:3] for reply in replies[2:]] == ["250", "250", "354", "250"], replies


def assert_arrives(device: Device, host: Host, sender: str, server: Upstream) -> None:
    """A message of the device, by a server that offers SMTPUTF8."""
    assert_accepted(smtp_session(device, host.address, commands(sender, OPTION)))
    wait_until(lambda: server.count() == 1, 30, lambda: host.run("postqueue -p"))
    ((subjects, envelope, body),) = server.messages()
    assert (subjects, body) == ([f"Subject: {TEXT}"], f"{TEXT}\r\n")
    assert envelope == [f"MAIL FROM:<{sender}>", f"RCPT TO:<{RECIPIENT}>"]
    assert OPTION in server.envelopes()[0][0]


def assert_refused(device: Device, host: Host, sender: str) -> None:
    hello, refused = smtp_session(device, host.address, commands(sender, OPTION)[:2])[1:]
    assert "SMTPUTF8" not in hello
    assert refused.startswith("555 5.5.4")


def assert_arrives_without_the_option(device: Device, host: Host, sender: str, server: Upstream) -> None:
    """As it is."""
    replies = smtp_session(device, host.address, commands(sender, " BODY=8BITMIME"))
    assert [reply[:3] for reply in replies[2:]] == ["250", "250", "354", "250"], replies
    wait_until(lambda: server.count() == 1, 30, lambda: host.run("postqueue -p"))
    assert server.messages() == [([f"Subject: {TEXT}"], [f"MAIL FROM:<{sender}>", f"RCPT TO:<{RECIPIENT}>"], f"{TEXT}\r\n")]
