"""Addresses of a test network: 198.51.100.0/24 (RFC 5737), which is not routed."""

from __future__ import annotations

PREFIX = 24
BRIDGE = "hub0"
HUB = "198.51.100.10"  # the emulator: every name of Microsoft's, and DNS; tests and Ansible come from here
HVE = "198.51.100.11"  # smtp.hve.mx.microsoft: its port is submission's, too
ACS = "198.51.100.12"  # smtp.azurecomm.net: likewise
# Hosted relays: the SMTP hosts of their first regions.
HOSTED = {"smtp2go": "198.51.100.13", "sendgrid": "198.51.100.14", "mailgun": "198.51.100.15"}
# Hosts with names in DNS: relay1 and relay2 for tests of relays, the others for the tests of devices.
HOSTS = {"relay1": 21, "relay2": 22, "office12": 23, "office13": 24}
FIRST_OTHER_HOST = 25
FIRST_DEVICE = 101  # devices of a relay
OUTSIDER = 201


def address(number: int) -> str:
    return f"198.51.100.{number}"
