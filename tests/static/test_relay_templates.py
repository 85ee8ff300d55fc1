"""Settings in the templates of role relay_host that protect it from clients: what an attack without them showed is in the comments."""

from __future__ import annotations

import re
from typing import Any

import yaml

from .tree import REPO, text

TEMPLATES = REPO / "roles" / "relay_host" / "templates"


def parameters(file: str) -> dict[str, Any]:
    return {match[1]: match[2] for match in re.finditer(r"(?m)^(\w+) =(?: (.*))?$", text(TEMPLATES / file))}


def test_one_client_cannot_use_all_connections() -> None:
    """Postfix exempts mynetworks by default: one hanging printer filled port 25 for all others."""
    main = parameters("postfix/main.cf.d/devices.j2")
    assert main["smtpd_client_event_limit_exceptions"] is None
    assert main["smtpd_client_connection_count_limit"] == "{{ __relay_config.connections_per_client }}"
    assert main["smtpd_starttls_timeout"] == "20s"
    assert "- {{ __relay_config.processes }} smtpd" in text(TEMPLATES / "postfix/master.cf.d/listeners.j2")


def test_unknown_clients_are_refused_when_they_connect() -> None:
    """With smtpd_delay_reject, or while Postfix asks for the client's name, each of them holds a process."""
    main = parameters("postfix/main.cf.d/devices.j2")
    assert main["smtpd_delay_reject"] == main["smtpd_peername_lookup"] == "no"
    assert main["smtpd_client_restrictions"] == "permit_mynetworks, {{ __relay_config.access.unknown_client }}"
    # Postfix accepts the recipient "postmaster" without the restrictions of a recipient.
    assert main["smtpd_data_restrictions"].endswith("$smtpd_relay_restrictions")


def test_no_anonymous_ciphers() -> None:
    excluded = parameters("postfix/main.cf.d/devices.j2")["smtpd_tls_exclude_ciphers"].split(", ")
    assert {"aNULL", "eNULL"} <= set(excluded)


def test_rewritten_messages_have_a_cleanup_service_without_a_limit() -> None:
    """Otherwise a message just below the limit is accepted, and stays queued after its header became longer."""
    master = text(TEMPLATES / "postfix/master.cf.d/listeners.j2")
    assert re.search(r"m365-internal-cleanup unix n - .* 0 cleanup\n  -o message_size_limit=0", master)


def test_right_password_is_accepted_during_guesses() -> None:
    """Dovecot's penalty delays answers by more than Postfix waits."""
    dovecot = " ".join(text(TEMPLATES / "sasl/dovecot.conf.j2").split())
    assert "service anvil { unix_listener anvil-auth-penalty { mode = 0 } }" in dovecot


def test_local_programs_of_other_users_submit_nothing() -> None:
    assert parameters("postfix/main.cf.d/devices.j2")["authorized_submit_users"] == "root, mailops-relay"


def test_what_distributions_name_differently_is_a_variable_of_each() -> None:
    """The group nogroup is Debian's: on RHEL Dovecot does not start with it."""
    files = {
        path.stem: yaml.safe_load(path.read_text()) for path in sorted((TEMPLATES.parent / "vars").glob("*.yml")) if path.stem != "main"
    }
    assert {name: values["__relay_nobody_group"] for name, values in files.items()} == {
        "Debian_12": "nogroup",
        "Debian_13": "nogroup",
        "RedHat": "nobody",
        "Ubuntu": "nogroup",
    }
    assert len({frozenset(values) for values in files.values()}) == 1, "every distribution sets the same variables"
    templates = {path.name: path.read_text() for path in TEMPLATES.rglob("*.j2")}
    assert [name for name, content in templates.items() if "nogroup" in content] == []
    assert sum("{{ __relay_nobody_group }}" in content for content in templates.values()) == 3
