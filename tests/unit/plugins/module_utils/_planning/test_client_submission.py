"""Client submission by a user name and password as an upstream: allowed with a warning until Basic authentication ends."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.m365.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.mailops.m365.plugins.module_utils._planning import client_submission

LAST_SECOND = 1_798_761_599.0  # 2026-12-31T23:59:59Z


@pytest.mark.parametrize("host", ["smtp.office365.com", "SMTP-legacy.office365.com"])
def test_the_last_day_counts(host: str) -> None:
    [sentence] = client_submission.warnings(host, "2026-12-31", LAST_SECOND)
    assert sentence.startswith(f"upstream.host is {host}: Microsoft 365 refuses Basic authentication after 2026-12-31; use the tenant's MX")
    with pytest.raises(InvalidInput, match="refuses Basic authentication"):
        client_submission.warnings(host, "2026-12-31", LAST_SECOND + 1)


def test_other_hosts_are_none_of_it() -> None:
    assert client_submission.warnings("relay1.contoso.com", "2026-12-31", LAST_SECOND + 1) == []
    assert client_submission.without_user_problems("relay1.contoso.com") == []
    assert "accepts only authenticated clients" in client_submission.without_user_problems("smtp.office365.com")[0]


def test_a_date() -> None:
    assert client_submission.date_problems("2026-12-31") == []
    assert client_submission.date_problems("soon") == ["m365_basic_auth_end_date is 'soon': give a date such as 2026-12-31."]
