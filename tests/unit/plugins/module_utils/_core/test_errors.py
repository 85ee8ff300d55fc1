# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mailops.m365.plugins.module_utils import error_catalog
from ansible_collections.mailops.m365.plugins.module_utils._core import errors


def test_catalogued_error_has_cause_code_remedy_and_request() -> None:
    error = errors.ServiceError("read x", "said", code="AccessDenied", entry=error_catalog.graph("AccessDenied"), request_id="r-1")
    assert str(error) == (
        "Could not read x: the automation app lacks a Graph permission for this (AccessDenied). "
        "Grant it the permissions in docs/setup.md, with admin consent. [request r-1]"
    )
    assert error.as_result()["cause"] == "the automation app lacks a Graph permission for this"


def test_unknown_error_has_the_services_text_on_one_shortened_line() -> None:
    error = errors.ServiceError("read x", f"first\r\n  second {'x' * 400}", status=418)
    assert str(error).startswith("Could not read x: the service answered 418: first second xxx")
    assert str(error).endswith("...")
    assert len(str(error)) < 360
    assert len(errors.ServiceError("a", "x" * 5000).as_result()["service_message"]) == 1000
    assert error.transient is False


def test_every_failure_is_of_one_family() -> None:
    for kind in (errors.InvalidInput("a"), errors.MissingLibrary("msal"), errors.Unreachable("a", "b"), errors.SmtpError("tls", "x")):
        assert isinstance(kind, errors.MailopsError)
        assert str(kind) not in kind.as_result().values()
    assert str(errors.MissingLibrary("msal")).startswith(
        "The Python library msal is missing from the interpreter that runs Ansible: install"
    )
    assert errors.InvalidInput("One.", "Two.").as_result() == {"problems": ["One.", "Two."]}
    assert errors.SmtpError("tls", "x").as_result()["stage"] == "tls"
