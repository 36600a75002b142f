"""What all tests share: the hypothesis profile and the folder of outside data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("cleanfeed", deadline=None, derandomize=True, max_examples=150)
settings.load_profile("cleanfeed")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data() -> Path:
    """The labelled corpora, where there are any."""
    folder = Path(os.environ.get("CLEANFEED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "lines").is_dir():
        pytest.skip(f"needs labelled corpora: {folder} is absent; set CLEANFEED_DATA")
    return folder
