"""Role hosted_relay costs few requests: a run without changes at most four to each provider's API."""

from __future__ import annotations

from bench import hosted


def test_run_without_changes_costs_at_most_four_requests_at_each_provider() -> None:
    requests = hosted.measure()
    assert {provider: runs["no_changes"] <= 4 < runs["first"] for provider, runs in requests.items()} == dict.fromkeys(
        hosted.PROVIDERS, True
    )
    assert all(provider in hosted.table(requests) for provider in hosted.PROVIDERS)
