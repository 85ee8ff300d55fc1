from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._report.failures import sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the certificate is expired", "The certificate is expired."),
        ("refused.", "Refused."),
        ("tenant_settings_directory is /nowhere", "tenant_settings_directory is /nowhere."),
        ("mail.contoso.com: no answer", "mail.contoso.com: no answer."),
        ("erp@contoso.com is no mailbox!", "erp@contoso.com is no mailbox!"),
        (" ", "."),
    ],
)
def test_a_sentence_begins_with_a_capital_letter_but_for_names(text: str, expected: str) -> None:
    assert sentence(text) == expected
