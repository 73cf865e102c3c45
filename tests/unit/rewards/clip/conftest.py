"""A random tiny CLIP, made once."""

from pathlib import Path

import pytest

from tests.unit.rewards.clip.small_clip import save_tiny


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder."""
    return save_tiny(tmp_path_factory.mktemp("clips") / "tiny")
