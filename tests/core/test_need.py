from __future__ import annotations

import json

import pytest

from semblance.core.errors import UsageError
from semblance.core.need import need


def test_what_is_installed_is_returned():
    assert need("json", extra="demo", why="a test") is json


def test_what_is_missing_is_named_with_the_line_that_installs_it():
    with pytest.raises(UsageError) as caught:
        need("no_such_package.deep", extra="demo", why="the FLChain cohort")
    text = str(caught.value)
    assert 'pip install "semblance[demo]"' in text
    assert "'no_such_package'" in text
    assert text.startswith("the FLChain cohort needs")
