"""What all tests share: tests that say that they belong together are given to one worker."""

from __future__ import annotations

import os

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A pytest that pytest-xdist does not know (9.2.0 with 3.8.0) makes it spread the tests of a group without a word."""
    group = item.get_closest_marker("xdist_group")
    in_groups = "PYTEST_XDIST_WORKER" in os.environ and item.config.getoption("loadgroup", False)
    if group and in_groups and not item.nodeid.endswith(f"@{group.args[0]}"):
        pytest.fail(f"pytest {pytest.__version__} does not fit pytest-xdist: this test left its group {group.args[0]}.", pytrace=False)
