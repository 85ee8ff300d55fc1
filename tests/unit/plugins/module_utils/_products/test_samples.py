# Copyright: (c) 2026, mailops.m365 developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples hold the values as their language quotes them, and never a secret. tests/e2e runs those of languages at hand."""

from __future__ import annotations

import ast
import configparser
import re
import shlex

import pytest
import yaml
from ansible_collections.mailops.m365.plugins.module_utils._products.sample import AUTHENTICATIONS, QUOTES, VALUES, Sample
from ansible_collections.mailops.m365.plugins.module_utils._products.samples import SAMPLES

# Samples whose syntax the tests of this file check; tests/e2e/test_settings_samples.py checks the others.
PARSED_BY_PYTHON = ("grafana", "jenkins_mailer")
HOSTILE = "o'neil`id`$HOME+{port}@contoso.com"
CONTENT: dict[str, str | int] = {
    "host": "relay.contoso.com",
    "port": 587,
    "user": "nas",
    "sender": "scanner@contoso.com",
    "tenant_id": "T",
    "client_id": "11111111-2222-4333-8444-555555555555",
    "authority": "https://login.microsoftonline.com/T",
    "token_url": "https://login.microsoftonline.com/T/oauth2/v2.0/token",
    "scope": "https://outlook.office365.com/.default",
}
CASES = [(name, kind) for name, sample in SAMPLES.items() for kind in AUTHENTICATIONS if kind in ("none", "password") or sample.has_oauth]


@pytest.mark.parametrize(("name", "authentication"), CASES)
def test_sample_is_complete(name: str, authentication: str) -> None:
    text = SAMPLES[name].render(authentication, CONTENT)
    assert not re.search(r"\{(" + "|".join(VALUES) + r")(:plain)?\}", text), "a value is missing"
    assert "?none" not in text
    assert "?oauth" not in text
    assert "?password" not in text
    assert "?certificate" not in text
    assert authentication == "none" or SAMPLES[name].secrets[SAMPLES[name].mark(authentication)]
    if name in ("post_smtp", "fluent_smtp"):  # their server is in the database
        assert ("define" in text) == (authentication == "password")
        return
    assert "relay.contoso.com" in text
    assert "587" in text or name == "nothing"
    if authentication == "none":
        assert "PASS" not in text.upper()
    if authentication in ("oauth", "certificate"):
        assert str(CONTENT["token_url"]) in text or str(CONTENT["authority"]) in text
        assert str(CONTENT["client_id"]) in text


def test_program_without_oauth_has_no_sample_for_it() -> None:
    assert SAMPLES["wp_mail_smtp"].render("oauth", CONTENT) == ""


@pytest.mark.parametrize("authentication", AUTHENTICATIONS)
def test_hostile_address_is_a_text_of_the_program(authentication: str) -> None:
    program = SAMPLES["python_smtplib"].render(authentication, CONTENT | {"sender": HOSTILE, "user": HOSTILE})
    texts = [node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)]
    assert texts.count(HOSTILE) == 2 + (authentication != "none")


def test_hostile_address_in_other_languages() -> None:
    assert yaml.safe_load(SAMPLES["jenkins_mailer"].render("password", CONTENT | {"user": HOSTILE}))["unclassified"]["mailer"][
        "authentication"
    ] == {
        "username": HOSTILE,
        "password": "${SMTP_PASSWORD}",
    }
    assert HOSTILE in shlex.split(SAMPLES["apc_nmc"].render("none", CONTENT | {"sender": HOSTILE}))
    assert QUOTES["single"](HOSTILE) == "'o\\'neil`id`$HOME+{port}@contoso.com'"
    assert QUOTES["dotenv"]("a$b") == '"a\\$b"'


def test_lines_belong_to_their_authentications() -> None:
    sample = Sample("text", "plain", "", {}, "always {port}\n?none|oauth two\n?password one {user}\n?oauth\n")
    assert sample.render("none", CONTENT) == "always 587\ntwo\n"
    assert sample.render("password", CONTENT) == "always 587\none nas\n"
    assert sample.render("oauth", CONTENT) == "always 587\ntwo\n\n"


def test_hostile_address_is_a_value_of_django() -> None:
    tree = ast.parse(SAMPLES["django"].render("password", CONTENT | {"user": HOSTILE, "sender": HOSTILE}))
    values = {
        node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    constants = {name: value.value for name, value in values.items() if isinstance(value, ast.Constant)}
    assert constants == {
        "EMAIL_HOST": "relay.contoso.com",
        "EMAIL_PORT": 587,
        "EMAIL_USE_TLS": True,
        "EMAIL_TIMEOUT": 60,
        "EMAIL_HOST_USER": HOSTILE,
        "DEFAULT_FROM_EMAIL": HOSTILE,
        "SERVER_EMAIL": HOSTILE,
    }
    assert ast.unparse(values["EMAIL_HOST_PASSWORD"]) == "os.environ['SMTP_PASSWORD']"


@pytest.mark.parametrize(("user", "written"), [("nas", "nas"), ("nas#1", '"""nas#1"""'), ("a;b@contoso.com", '"""a;b@contoso.com"""')])
def test_comment_characters_are_quoted_for_grafana(user: str, written: str) -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(SAMPLES["grafana"].render("password", CONTENT | {"user": user}))
    assert dict(parser["smtp"]) == {
        "enabled": "true",
        "host": "relay.contoso.com:587",
        "user": written,
        "password": "$__env{SMTP_PASSWORD}",
        "from_address": "scanner@contoso.com",
        "starttls_policy": "MandatoryStartTLS",
    }


@pytest.mark.parametrize("authentication", ["none", "password"])
def test_postfix_configuration_is_a_list_of_settings(authentication: str) -> None:
    text = SAMPLES["postfix"].render(authentication, CONTENT)
    settings = dict(line.split(" = ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert settings["relayhost"] == "[relay.contoso.com]:587"
    assert ("smtp_sasl_auth_enable" in settings) == (authentication == "password")
