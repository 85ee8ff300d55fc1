"""Client submission with a user's own token: whose mailbox, which licence, as whom and on whose behalf."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.smtp import texts
from emulator.smtp.delegated import check_senders, xoauth2
from emulator.smtp.headers import read_header
from emulator.smtp.texts import Refused
from emulator.smtp.verdict import Account, right_on_mailbox
from emulator.state import MailboxGrant, State
from tests.emulator.smtp_lab import MESSAGE, OBJECT, SID, Clock, Verifier, make_state, token

USER_ID = "44444444-0000-4000-8000-000000000001"
OPS, SALES = "ops@contoso.com", "sales@contoso.com"


@pytest.fixture
def state() -> State:
    """ops is a licensed user, sales a shared mailbox."""
    state = make_state()
    contoso = state.tenants["11111111-0000-4000-8000-000000000001"]
    contoso.mailboxes[OPS].user_id = USER_ID
    contoso.mailboxes[OPS].grants = []
    contoso.mailboxes[SALES].kind = "SharedMailbox"
    contoso.mailboxes[SALES].smtp_client_authentication_disabled = False
    return state


def users(**claims: Any) -> str:
    """A token of the user ops."""
    return token(**{"roles": None, "scp": "SMTP.Send", "oid": USER_ID, "aud": "https://outlook.office.com"} | claims)


def grant(state: State, right: str, effective_from: float = 0.0) -> None:
    contoso = next(iter(state.tenants.values()))
    contoso.mailboxes[SALES].grants.append(MailboxGrant(right, contoso.mailboxes[OPS].sid, effective_from))


def reply(state: State, user: str = OPS, bearer: str | None = None) -> str:
    try:
        xoauth2(state, Verifier(), user, bearer or users())
    except Refused as refusal:
        return refusal.reply
    return ""


def sent(state: State, *, sender: str = OPS, header: str = f"From: {SALES}\r\n", user: str = OPS) -> str:
    account = xoauth2(state, Verifier(), user, users())
    right_on_mailbox(state, account)
    try:
        check_senders(state, account, sender, read_header(f"{header}Subject: test\r\n\r\nhello\r\n".encode()))
    except Refused as refusal:
        return refusal.reply.split(";")[0] + refusal.reply.split(";")[1]
    return ""


def test_a_user_signs_in_to_his_own_mailbox(state: State) -> None:
    account = xoauth2(state, Verifier(), "O.P.S@contoso.com", users())
    assert (account.address, account.user, account.object_id) == (OPS, OPS, None)


@pytest.mark.parametrize(
    "claims",
    [
        {"scp": "IMAP.AccessAsUser.All"},
        {"aud": "https://graph.microsoft.com"},
        {"aud": "00000003-0000-0000-c000-000000000000"},
        {"oid": OBJECT},
        {"tid": "99999999-0000-4000-8000-000000000001"},
        {"exp": 1},
        {"nbf": 4102444800, "exp": 4102448400},
    ],
)
def test_wrong_claims(state: State, claims: dict[str, Any]) -> None:
    assert reply(state, bearer=users(**claims)) == texts.AUTHENTICATION_REFUSED


@pytest.mark.parametrize(
    "audience", ["https://outlook.office.com", "https://outlook.office365.com", "00000002-0000-0ff1-ce00-000000000000"]
)
def test_audiences(state: State, audience: str) -> None:
    assert reply(state, bearer=users(aud=audience)) == ""


def test_a_token_of_an_application_is_judged_as_before(state: State) -> None:
    contoso = next(iter(state.tenants.values()))
    contoso.mailboxes[OPS].grants = [MailboxGrant("FullAccess", SID)]
    assert xoauth2(state, Verifier(), OPS, token()) == Account(contoso.id, OPS, contoso.exchange_service_principals[OBJECT].app_id, OBJECT)
    assert reply(state, bearer=token(aud="https://outlook.office.com")) == texts.AUTHENTICATION_REFUSED


def test_an_unlicensed_user_is_refused(state: State) -> None:
    state.tenants["11111111-0000-4000-8000-000000000001"].mailboxes[OPS].user.licensed = False
    assert reply(state) == texts.AUTHENTICATION_REFUSED


def test_smtp_auth_setting_applies_to_users(state: State) -> None:
    state.tenants["11111111-0000-4000-8000-000000000001"].mailboxes[OPS].smtp_client_authentication_disabled = True
    assert reply(state) == texts.OFF_FOR_MAILBOX


def test_another_mailbox_needs_full_access_and_a_licence(state: State) -> None:
    assert reply(state, SALES) == texts.AUTHENTICATION_REFUSED
    grant(state, "FullAccess")
    assert reply(state, SALES) == texts.AUTHENTICATION_REFUSED
    state.tenants["11111111-0000-4000-8000-000000000001"].mailboxes[SALES].user.licensed = True
    assert reply(state, SALES) == ""
    # FullAccess opens a mailbox and does not make its address the user's.
    assert sent(state, user=SALES).startswith("554 5.2.252 SendAsDenied")
    grant(state, "SendAs")
    assert sent(state, user=SALES, sender=SALES) == ""


def test_send_as(state: State) -> None:
    assert sent(state, header=f"From: {OPS}\r\n") == ""
    assert sent(state) == f"554 5.2.252 SendAsDenied {OPS} not allowed to send as {SALES}"
    grant(state, "SendAs")
    assert sent(state) == ""
    assert sent(state, sender=SALES) == ""


def test_send_on_behalf_requires_the_users_own_sender_address(state: State) -> None:
    honest = f"From: {SALES}\r\nSender: Ops <{OPS}>\r\n"
    assert sent(state, header=honest).startswith("554 5.2.252")
    grant(state, "SendOnBehalf")
    assert sent(state, header=honest) == ""
    assert sent(state).startswith("554 5.2.252"), "without a Sender it would be sending as"
    assert sent(state, header=f"From: {SALES}\r\nSender: {SALES}\r\n").startswith("554 5.2.252")
    assert sent(state, header=honest, sender=SALES).startswith("554 5.2.252")


@pytest.mark.parametrize("right", ["SendAs", "SendOnBehalf"])
def test_permission_before_its_propagation_does_not_apply(state: State, right: str) -> None:
    assert isinstance(state.now, Clock)
    grant(state, right, state.now() + 60)
    header = f"From: {SALES}\r\nSender: {OPS}\r\n"
    assert sent(state, header=header).startswith("554 5.2.252")
    state.now.offset += 61
    assert sent(state, header=header) == ""


def test_default_message_has_one_author() -> None:
    assert read_header(MESSAGE).senders == []
