"""Fixtures that several folders share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Volumes are tiny: where several tests run at once, threads would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes depends on what else the machine does.
settings.register_profile("subtomo", deadline=None)
settings.load_profile("subtomo")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data and peers' outputs, beside the checkout."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"{SHARED_DATA} is absent: real data and peers' outputs live there")
    return SHARED_DATA
