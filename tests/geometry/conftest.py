"""Small whole designs for the tests of this folder."""

import copy
from typing import Any

import pytest

from tests.geometry.contents import CONTENT


@pytest.fixture(params=CONTENT)
def content(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The content of one design; each family in turn."""
    return copy.deepcopy(CONTENT[request.param])


@pytest.fixture
def content_of():
    """Content by family, to be changed at will."""
    return lambda family: copy.deepcopy(CONTENT[family])
