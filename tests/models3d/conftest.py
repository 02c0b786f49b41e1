"""Where the real models lie."""

import os
from pathlib import Path

import pytest

DRACO = {"mk-guitar", "mk-headphones", "mk-mug"}


def models_folder() -> Path:
    here = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("VITRINA_MODELS", here.parent / "shared" / "models"))


@pytest.fixture
def models() -> Path:
    """The folder of shared real models; tests that need it skip visibly without it."""
    folder = models_folder()
    if not folder.is_dir():
        pytest.skip(f"no real models: {folder} is missing (set VITRINA_MODELS)")
    return folder
