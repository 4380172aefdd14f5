"""Fixtures of the tests of pictures."""

from collections.abc import Callable

import pytest
from made_solutions import MAKERS, Made


@pytest.fixture
def make() -> Callable[[str], Made]:
    """`make(name)`: one of the made-up solutions."""
    return lambda name: MAKERS[name]()
