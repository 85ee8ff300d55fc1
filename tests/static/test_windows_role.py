"""Every option of the modules of role relay_windows has a variable of the role, with the same default."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.mailops.m365.plugins.module_utils._core.spec import JOURNAL
from ansible_collections.mailops.m365.plugins.module_utils._planning import client_submission
from ansible_collections.mailops.m365.plugins.module_utils._relay.config.windows_variables import OF_HMAILSERVER, OF_SMTP_SERVER, variable
from ansible_collections.mailops.m365.plugins.module_utils.resources import (
    windows_hmailserver,
    windows_relay_firewall,
    windows_smtp_server,
)

from .tree import REPO, for_every, load

ROLE = REPO / "roles/relay_windows"
# Folder of tasks -> module and spec.
PRODUCTS: dict[str, tuple[str, Any]] = {
    "smtp_server": ("windows_smtp_server", windows_smtp_server.RESOURCE.spec),
    "hmailserver": ("windows_hmailserver", windows_hmailserver.RESOURCE.spec),
}
OF_THE_HOST = JOURNAL.options.keys() | client_submission.END_DATE.options.keys()  # from a variable of the host


def options_of(file: str, module: str) -> dict[str, str]:
    """The options that the role gives the module in this file of tasks."""
    options: dict[str, str] = {}
    for task in load(ROLE / "tasks" / file):
        options |= task.get(f"mailops.m365.{module}") or {}
    return options


@for_every("product", sorted(PRODUCTS))
def test_the_role_has_every_option_of_its_module(product: str) -> None:
    module, spec = PRODUCTS[product]
    options = options_of(f"{product}/absent.yml", module) | options_of(f"{product}/present.yml", module)
    assert sorted(options.keys() | OF_THE_HOST | {"state"}) == sorted(spec.options)
    for name, value in options.items():
        if name != "state":
            assert re.fullmatch(rf"{{{{ __relay_windows\.{product}\.{name}( \| default\(omit\))? }}}}", value), name


def test_the_role_has_every_option_of_the_firewall() -> None:
    options = options_of("main.yml", "windows_relay_firewall")
    assert sorted(options.keys() | JOURNAL.options.keys()) == sorted(windows_relay_firewall.RESOURCE.spec.options)


@for_every("product", sorted(PRODUCTS))
def test_variables_have_the_options_defaults(product: str) -> None:
    defaults, spec = load(ROLE / "defaults/main.yml"), PRODUCTS[product][1]
    for option in OF_SMTP_SERVER if product == "smtp_server" else OF_HMAILSERVER:
        assert defaults[variable(option)] == spec.options[option].get("default"), option
