"""What items of the tests do; workers import it by name."""

import os
import signal
import time


def kill_worker(payload):
    os.kill(os.getpid(), signal.SIGKILL)


def kill_worker_of_bad(item):
    if item == "bad":
        kill_worker(item)


def leave(payload):
    os._exit(3)


def own_pid(payload):
    time.sleep(0.05)
    return os.getpid()


def count_threads(payload):
    import numpy  # noqa: F401  # loads its BLAS
    import torch
    from threadpoolctl import threadpool_info

    blas = {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}
    return {"torch": torch.get_num_threads(), "blas": sorted(blas)}
