"""One thread, as in a job: on a busy machine two threads on tiny arrays wait for each other."""

import numba  # noqa: F401  # limited_threads limits what is loaded
import pytest
import torch  # noqa: F401

from subtomo.jobs.threads import limited_threads


@pytest.fixture(autouse=True)
def one_thread():
    with limited_threads(1):
        yield
