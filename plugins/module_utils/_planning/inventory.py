# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a host in the inventory: secrets apart from the rest, and names that are misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .._core.option_values import nearest
from .role_inputs import VARIABLES
from .role_variables import PREFIXES

# How the name of an option ends whose value is a secret; a test holds the specs to it.
SECRET_ENDINGS = ("passwords", "secret", "password", "token", "api_key")
# Variables of a tenant that belong to no role alone.
TENANT_VARIABLES = (
    "m365_auth_method",
    "m365_basic_auth_end_date",
    "m365_basic_reenabled",
    "m365_certificate_password",
    "m365_certificate_path",
    "m365_client_id",
    "m365_client_secret",
    "m365_cloud",
    "m365_controller_address",
    "m365_dns_servers",
    "m365_expected_mailboxes",
    "m365_federated_request_token",
    "m365_federated_request_url",
    "m365_federated_token_file",
    "m365_federated_token_variable",
    "m365_hosted_credential_overlap",
    "m365_hosted_credential_renew",
    "m365_hosted_credential_store",
    "m365_hosted_credential_vault_password_file",
    "m365_hosted_relay",
    "m365_hosted_relay_api_key",
    "m365_hosted_relay_api_url",
    "m365_hosted_relay_region",
    "m365_hosted_relay_smtp_host",
    "m365_hosted_relay_smtp_port",
    "m365_hve",
    "m365_in_process",
    "m365_journal_dir",
    "m365_key_directory",
    "m365_licences",
    "m365_managed_identity_client_id",
    "m365_owner",
    "m365_plan_expected",
    "m365_relays",
    "m365_remove_orphans",
    "m365_senders",
    "m365_tenant",
    "m365_trial",
    "m365_unused_access",
    "m365_verify_recipient",
    "m365_wait_timeout",
    "tenant_draft_directory",
    "tenant_settings_directory",
)
# Variables of relay hosts; the last two are facts that the role sets.
RELAY_VARIABLES = (
    "relay_active_queue_limit",
    "relay_backup_directory",
    "relay_certificate_name",
    "relay_client_id",
    "relay_connections_per_client",
    "relay_connector_certificate",
    "relay_connector_host",
    "relay_connector_key",
    "relay_connector_tls",
    "relay_count",
    "relay_delay_warning",
    "relay_devices",
    "relay_drain_timeout",
    "relay_fail2ban",
    "relay_hostname",
    "relay_key_days",
    "relay_key_rotate",
    "relay_legacy_address",
    "relay_legacy_cleartext_auth",
    "relay_legacy_port",
    "relay_mailboxes",
    "relay_message_size_limit",
    "relay_metrics_directory",
    "relay_peer_of",
    "relay_postmaster",
    "relay_processes",
    "relay_public_addresses",
    "relay_queue_lifetime",
    "relay_queue_on_removal",
    "relay_recipients_per_message",
    "relay_senders",
    "relay_smarthost",
    "relay_state",
    "relay_tenant",
    "relay_tls_certificate",
    "relay_tls_key",
    "relay_upstream",
    "relay_verify_required",
    "relay_verify_wait",
    "relay_windows_admin_password",
    "relay_windows_authentication",
    "relay_windows_auto_ban",
    "relay_windows_certificate",
    "relay_windows_connection_networks",
    "relay_windows_delay_notice_minutes",
    "relay_windows_firewall_profiles",
    "relay_windows_give_up_minutes",
    "relay_windows_installer",
    "relay_windows_listeners",
    "relay_windows_log",
    "relay_windows_masquerade_domain",
    "relay_windows_max_recipients",
    "relay_windows_max_session_size",
    "relay_windows_minutes_between_tries",
    "relay_windows_previous_admin_password",
    "relay_windows_product",
    "relay_windows_purge_ranges",
    "relay_windows_relay_authenticated",
    "relay_windows_require_tls",
    "relay_windows_retry_minutes",
    "relay_windows_tries",
    "relay_windows_update_password",
    "relay_certificates",
    "relay_retired_certificates",
)
# Variables of roles that run beside the tenant's plan.
OTHER_VARIABLES = (
    "automation_access_certificate",
    "automation_access_certificates",
    "automation_access_directory_roles",
    "automation_access_display_name",
    "automation_access_exclusive",
    "automation_access_federated_credentials",
    "automation_access_permissions",
    "automation_access_role_groups",
    "automation_access_unique_name",
    "diagnose_certificate_issuers",
    "diagnose_device_tls",
    "diagnose_domains",
    "diagnose_duration",
    "diagnose_endpoints",
    "diagnose_hosted_relays",
    "diagnose_public_dns_servers",
    "diagnose_required",
    "diagnose_samples",
    "diagnose_timeout",
    "hosted_relay_allow_list",
    "hosted_relay_allow_list_enabled",
    "hosted_relay_allow_list_exclusive",
    "hosted_relay_allow_list_service",
    "hosted_relay_credentials",
    "hosted_relay_credentials_exclusive",
    "hosted_relay_dns",
    "hosted_relay_domains",
)
ROLE_PREFIXES = ("relay_", "automation_access_", "diagnose_", "hosted_relay_")
NAME_PREFIXES = ("m365_", "tenant_", *PREFIXES, *ROLE_PREFIXES)


def split_secrets(variables: Mapping[str, Any]) -> tuple[dict[str, object], dict[str, object]]:
    """The variables without their secrets, and the secrets alone in the same structure; a list's items are there by their number."""
    public, secrets = _split(dict(variables))
    return public, secrets or {}


def _split(value: Any) -> tuple[Any, Any]:
    """`value` without its secrets, and its secrets; None where it has none."""
    if isinstance(value, list):
        parts = [_split(item) for item in value]
        return [public for public, _secret in parts], {str(n): secret for n, (_public, secret) in enumerate(parts) if secret} or None
    if not isinstance(value, Mapping):
        return value, None
    public: dict[str, object] = {}
    secrets: dict[str, object] = {}
    for name, item in value.items():
        if str(name).endswith(SECRET_ENDINGS) and item is not None:
            secrets[name] = item
            continue
        public[name], secret = _split(item)
        if secret:
            secrets[name] = secret
    return public, secrets or None


def join_secrets(public: Mapping[str, Any], secrets: Mapping[str, Any]) -> dict[str, object]:
    """The variables that `split_secrets` has split."""
    joined: dict[str, object] = _join(dict(public), secrets)
    return joined


def _join(value: Any, secrets: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_join(item, secrets[str(n)]) if str(n) in secrets else item for n, item in enumerate(value)]
    joined = {**value}
    for name, secret in secrets.items():
        joined[name] = _join(joined[name], secret) if isinstance(joined.get(name), (list, Mapping)) else secret
    return joined


def misspelt(names: Iterable[str]) -> Iterator[str]:
    """One sentence for each name that begins like a variable of this collection and is none.

    Without a similar variable a name is only a problem if it begins with m365_: the roles' names are common words.
    """
    variables = {*TENANT_VARIABLES, *VARIABLES, *RELAY_VARIABLES, *OTHER_VARIABLES}
    for name in sorted(set(names) - variables):
        prefix = max((prefix for prefix in NAME_PREFIXES if name.startswith(prefix)), key=len, default=None)
        if prefix is None:
            continue
        near = nearest(name.removeprefix(prefix), [one.removeprefix(prefix) for one in sorted(variables) if one.startswith(prefix)])
        if near:
            yield f"{name} is no variable of this collection: did you mean {prefix}{near}?"
        elif prefix == "m365_":
            yield f"{name} is no variable of this collection: correct or remove it; its variables are listed in the README of role tenant."
