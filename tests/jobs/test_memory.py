import subprocess
import sys

import pytest

# page faults of a hundred arrays of 2 MB, each freed before the next
COUNT = """
import resource
import numpy as np
from subtomo.jobs.memory import keep_freed_memory
{call}
for _ in range(3):
    np.ones(2 << 18), np.ones(2 << 18)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    a = np.ones(2 << 17); b = np.ones(2 << 18); del a, b
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(call):
    code = COUNT.format(call=call)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator is Linux's")
def test_freed_memory_is_used_again():
    kept = page_faults("keep_freed_memory()")
    assert kept < 1000
    assert page_faults("") > 10 * kept
