from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "one_python_is_enough: not run again on the newest Python and ansible-core")
