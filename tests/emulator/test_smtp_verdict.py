"""Who may sign in and send as whom, without a socket: one thing spoiled at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from emulator.smtp import texts
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import Account, StateTokens, check_senders, login, parse_xoauth2, right_on_mailbox, xoauth2
from emulator.state import ExchangeServicePrincipal, MailboxGrant, State
from tests.emulator.smtp_lab import APP, CONTOSO, FABRIKAM, FAR, OBJECT, OPS, OTHER_KEY, PASSWORD, SID, Verifier, make_state, token

REFUSED = "535 5.7.3 Authentication unsuccessful"
OFF = (
    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the {}. "
    "Visit https://aka.ms/smtp_auth_disabled for more information."
)
Change = Callable[[State], Any]


def refusal(judge: Callable[[], object]) -> str:
    try:
        judge()
    except Refused as error:
        return error.reply
    return "passed"


def sign_in(state: State, user: str = OPS, bearer: str | None = None) -> str:
    return refusal(lambda: xoauth2(state, Verifier(), user, bearer or token()))


CLAIMS: list[tuple[str, dict[str, Any], bool]] = [
    ("as it should be", {}, True),
    ("slash at the end", {"aud": "https://outlook.office365.com/"}, True),
    ("GCC High", {"aud": "https://outlook.office365.us"}, True),
    ("DoD", {"aud": "https://outlook-dod.office365.us"}, True),
    ("21Vianet", {"aud": "https://partner.outlook.cn"}, True),
    ("Exchange by its id", {"aud": "00000002-0000-0ff1-ce00-000000000000"}, True),
    ("more roles", {"roles": ["Exchange.ManageAsApp", "SMTP.SendAsApp"]}, True),
    ("outlook.office.com", {"aud": "https://outlook.office.com"}, False),
    ("Graph", {"aud": "https://graph.microsoft.com"}, False),
    ("a lookalike", {"aud": "https://outlook.office365.com.example.net"}, False),
    ("a path", {"aud": "https://outlook.office365.com/mail"}, False),
    ("http", {"aud": "http://outlook.office365.com"}, False),
    ("a list of audiences", {"aud": ["https://outlook.office365.com"]}, False),
    ("no audience", {"aud": None}, False),
    ("expired", {"exp": time.time() - 1}, False),
    ("no end", {"exp": None}, False),
    ("an end that is no number", {"exp": "tomorrow"}, False),
    ("from tomorrow", {"nbf": time.time() + 86400}, False),
    ("no roles", {"roles": None}, False),
    ("another role", {"roles": ["IMAP.AccessAsApp"]}, False),
    ("roles as text", {"roles": "SMTP.SendAsApp"}, False),
    ("a user's token", {"scp": "SMTP.Send"}, False),
    ("another tenant", {"tid": FABRIKAM}, False),
    ("an unknown tenant", {"tid": "33333333-0000-4000-8000-000000000000"}, False),
    ("no tenant", {"tid": None}, False),
    ("another service principal", {"oid": APP}, False),
    ("another application", {"appid": OBJECT}, False),
]


@pytest.mark.parametrize(("claims", "good"), [case[1:] for case in CLAIMS], ids=[case[0] for case in CLAIMS])
def test_claims(claims: dict[str, Any], good: bool) -> None:
    assert sign_in(make_state(), bearer=token(**claims)) == ("passed" if good else REFUSED)


# Named, for no two processes sign the same token.
BAD = {
    "another key": token(OTHER_KEY),
    "another signature": token()[:-6] + "AAAAAA",
    "nothing": "",
    "one part": "x",
    "no JSON": "a.b.c",
    "two parts": token().replace(".", "", 1),
}


@pytest.mark.parametrize("bearer", BAD.values(), ids=BAD)
def test_signature(bearer: str) -> None:
    assert refusal(lambda: xoauth2(make_state(), Verifier(), OPS, bearer)) == REFUSED


def test_who_is_signed_in() -> None:
    result = xoauth2(make_state(), Verifier(), "O.P.S@Contoso.com", token())
    assert result == Account(CONTOSO, OPS, APP, OBJECT)


def test_the_emulators_own_tokens() -> None:
    state = make_state()
    state.tokens.origins.add("https://127.0.0.1:4711")
    claims = {"tid": CONTOSO, "appid": APP, "oid": OBJECT, "roles": ["SMTP.SendAsApp"], "exp": time.time() + 60}
    for audience, expected in (
        ("https://127.0.0.1:4711", "passed"),
        ("https://127.0.0.1:4712", REFUSED),
        ("https://outlook.office.com", REFUSED),
    ):
        bearer = state.tokens.issue(claims | {"aud": audience})
        assert refusal(lambda bearer=bearer: xoauth2(state, StateTokens(state), OPS, bearer)) == expected


def _mailbox_switch(value: bool | None) -> Change:
    return lambda state: setattr(state.tenants[CONTOSO].mailboxes[OPS], "smtp_client_authentication_disabled", value)


def _tenant_switch(value: bool, mailbox: bool | None = None) -> Change:
    def change(state: State) -> None:
        state.tenants[CONTOSO].smtp_client_authentication_disabled = value
        _mailbox_switch(mailbox)(state)

    return change


def _later(value: bool, seconds: float) -> Change:
    def change(state: State) -> None:
        mailbox = state.tenants[CONTOSO].mailboxes[OPS]
        mailbox.smtp_client_authentication_disabled = True
        mailbox.set_later("smtp_client_authentication_disabled", value, state.now() + seconds)

    return change


def _principal(**changes: Any) -> Change:
    def change(state: State) -> None:
        principals = state.tenants[CONTOSO].exchange_service_principals
        principals.clear()
        if changes:
            made = ExchangeServicePrincipal(**{"app_id": APP, "object_id": OBJECT, "sid": SID} | changes)
            principals[made.object_id] = made

    return change


SIGN_INS: list[tuple[str, Change, str]] = [
    ("mailbox on, tenant off", _tenant_switch(True, False), "passed"),
    ("mailbox on, tenant on", _tenant_switch(False, False), "passed"),
    ("mailbox inherits on", _tenant_switch(False, None), "passed"),
    ("mailbox inherits off", _tenant_switch(True, None), OFF.format("Tenant")),
    ("mailbox off, tenant on", _tenant_switch(False, True), OFF.format("Mailbox")),
    ("mailbox off, tenant off", _tenant_switch(True, True), OFF.format("Mailbox")),
    ("on since a moment", _later(False, -1), "passed"),
    ("on, but not arrived yet", _later(False, 60), OFF.format("Mailbox")),
]
PRINCIPALS: list[tuple[str, Change, str]] = [
    ("not registered", _principal(), REFUSED),
    ("registered with the registration's object id", _principal(object_id="22222222-0000-4000-8000-000000000009"), REFUSED),
    ("registered with another app id", _principal(app_id="22222222-0000-4000-8000-000000000009"), REFUSED),
    ("registered, not arrived yet", _principal(effective_from=time.time() + FAR), REFUSED),
    ("registered long ago", _principal(effective_from=time.time() - 600), "passed"),
    ("no such mailbox", lambda state: state.tenants[CONTOSO].mailboxes.pop(OPS), REFUSED),
]


@pytest.mark.parametrize(("change", "expected"), [c[1:] for c in SIGN_INS + PRINCIPALS], ids=[c[0] for c in SIGN_INS + PRINCIPALS])
def test_xoauth2(change: Change, expected: str) -> None:
    state = make_state()
    change(state)
    assert sign_in(state) == expected


@pytest.mark.parametrize("user", ["nobody@contoso.com", "it@fabrikam.com", "ops", f"guid-{OPS}", f"sid-{OPS}", "", "ops@contoso.com "])
def test_the_user_is_a_mailboxs_address(user: str) -> None:
    assert sign_in(make_state(), user) == REFUSED


@pytest.mark.parametrize(("change", "expected"), [c[1:] for c in SIGN_INS], ids=[c[0] for c in SIGN_INS])
def test_login_obeys_the_same_switch(change: Change, expected: str) -> None:
    state = make_state()
    change(state)
    assert refusal(lambda: login(state, OPS, PASSWORD)) == expected


def test_login() -> None:
    state = make_state()
    assert login(state, "OPS@contoso.com", PASSWORD) == Account(CONTOSO, OPS)
    wrong = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."
    assert refusal(lambda: login(state, OPS, "wrong")) == wrong
    assert refusal(lambda: login(state, OPS, "")) == wrong
    assert refusal(lambda: login(state, OPS, "w\udcff")) == wrong
    assert refusal(lambda: login(state, "nobody@contoso.com", PASSWORD)) == REFUSED
    assert refusal(lambda: login(state, "ops@nowhere.example", PASSWORD)) == REFUSED
    assert refusal(lambda: login(state, "o.p.s@contoso.com", PASSWORD)) == REFUSED  # an alias is no user name
    assert refusal(lambda: login(state, "it@fabrikam.com", "None")) == wrong  # no password, no sign-in
    retired = "550 5.7.30 Basic authentication is not supported for Client Submission."
    assert refusal(lambda: login(state, OPS, PASSWORD, basic_retired=True)) == retired


def test_security_defaults_stop_passwords_and_not_tokens() -> None:
    state = make_state()
    state.tenants[CONTOSO].security_defaults = True
    expected = (
        "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. "
        "Contact your administrator."
    )
    assert refusal(lambda: login(state, OPS, PASSWORD)) == expected
    assert sign_in(state) == "passed"


@pytest.mark.parametrize(
    "blob",
    ["", "x", "user=a@b.c", "user=a@b.c\x01auth=Bearer t", "user=a@b.c\x01auth=Bearer t\x01", "auth=Bearer t\x01user=a@b.c\x01\x01",
     "user=\x01auth=Bearer t\x01\x01", "user=a@b.c\x01auth=Bearer \x01\x01", "user=a@b.c\x01auth=Basic t\x01\x01",
     "user=a@b.c\x01auth=Bearer t\x01\x01\x01", "n,a=a@b.c,\x01auth=Bearer t\x01\x01", "\udcff"],
)  # fmt: skip
def test_invalid_xoauth2_responses(blob: str) -> None:
    assert refusal(lambda: parse_xoauth2(blob.encode("utf-8", "surrogateescape"))) == REFUSED


def test_an_xoauth2_response() -> None:
    assert parse_xoauth2(b"user=a@b.c\x01auth=Bearer t.o.k\x01\x01") == ("a@b.c", "t.o.k")


APPLICATION, PERSON = Account(CONTOSO, OPS, APP, OBJECT), Account(CONTOSO, OPS)


def _grants(*grants: MailboxGrant) -> Change:
    return lambda state: setattr(state.tenants[CONTOSO].mailboxes[OPS], "grants", list(grants))


@pytest.mark.parametrize(
    ("change", "account", "good"),
    [
        (lambda state: None, APPLICATION, True),
        (_grants(), APPLICATION, False),
        (_grants(), PERSON, True),
        (_grants(MailboxGrant("SendAs", SID)), APPLICATION, False),
        (_grants(MailboxGrant("FullAccess", "S-1-5-21-9")), APPLICATION, False),
        (_grants(MailboxGrant("FullAccess", SID, time.time() + FAR)), APPLICATION, False),
        (_grants(MailboxGrant("FullAccess", SID, time.time() - 60)), APPLICATION, True),
        (_principal(), APPLICATION, False),
        (lambda state: state.tenants[CONTOSO].mailboxes.clear(), PERSON, False),
        (lambda state: state.tenants.clear(), APPLICATION, False),
    ],
)
def test_right_on_the_mailbox(change: Change, account: Account, good: bool) -> None:
    state = make_state()
    change(state)
    expected = "passed" if good else texts.NO_RIGHT_ON_MAILBOX
    assert refusal(lambda: right_on_mailbox(state, account)) == expected


def test_the_text_of_a_missing_right() -> None:
    assert texts.NO_RIGHT_ON_MAILBOX.startswith(
        "430 4.2.0 STOREDRV; mailbox logon failure; "
        "STOREDRV.Submission.Exception:ConnectionFailedTransientException.MapiExceptionLogonFailed; "
        "Failed to process message due to a transient exception with message [BeginDiagnosticData]Cannot open mailbox. "
    )


SALES = "sales@contoso.com"
MINE, THE_APPS = MailboxGrant("SendAs", f"sid-{OPS}"), MailboxGrant("SendAs", SID)


@pytest.mark.parametrize(
    ("sender", "grants", "account", "good"),
    [
        (OPS, [], APPLICATION, True),
        ("OPS@CONTOSO.COM", [], PERSON, True),
        ("o.p.s@contoso.com", [], PERSON, True),
        (SALES, [], APPLICATION, False),
        (SALES, [THE_APPS], APPLICATION, True),
        ("shop@contoso.com", [THE_APPS], APPLICATION, True),
        (SALES, [THE_APPS], PERSON, False),
        (SALES, [MINE], PERSON, True),
        (SALES, [MINE], APPLICATION, True),
        (SALES, [MailboxGrant("FullAccess", SID)], APPLICATION, False),
        (SALES, [MailboxGrant("SendAs", SID, time.time() + FAR)], APPLICATION, False),
        ("it@fabrikam.com", [], APPLICATION, False),
        ("anyone@example.net", [], APPLICATION, False),
        (f"guid-{OPS}", [], APPLICATION, False),
        ("", [], APPLICATION, False),
    ],
)
def test_senders(sender: str, grants: list[MailboxGrant], account: Account, good: bool) -> None:
    state = make_state()
    state.tenants[CONTOSO].mailboxes[SALES].grants = grants
    result = refusal(lambda: check_senders(state, account, [OPS, sender]))
    denied = (
        f"554 5.2.252 SendAsDenied; {OPS} not allowed to send as {sender or '<>'}; "
        "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; "
        "Failed to process message due to a permanent exception with message [BeginDiagnosticData]Cannot submit message"
    )
    assert result == "passed" if good else result.startswith(denied)
