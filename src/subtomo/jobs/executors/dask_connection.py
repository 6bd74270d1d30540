"""The three ways to a Dask cluster."""

import logging
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtomo import __version__
from subtomo.errors import MissingDependency, SettingsError
from subtomo.jobs.messages import Messages
from subtomo.jobs.settings import JobSettings
from subtomo.jobs.yaml_file import read_yaml

_SECONDS_TO_CONNECT = 30
_ANY_LOCAL_PORT = "127.0.0.1:0"


@dataclass(frozen=True)
class Connection:
    """A client and, where this process started it, the cluster with its number of workers."""

    client: Any
    cluster: Any = None
    n_workers: int = 0

    def replace_lost_workers(self) -> None:
        """Start workers in place of those that are gone for good.

        Dask restarts a worker that dies, but not one that dies while it is being restarted, and
        not the SLURM job that ran out of time. Workers that are still starting are not doubled.
        """
        if self.cluster is not None and len(self.client.nthreads()) < self.n_workers:
            self.cluster.scale(self.n_workers)


def connect(settings: JobSettings, held: ExitStack, messages: Messages) -> Connection:
    """Connect to the cluster that the settings ask for; ``held`` closes what is opened."""
    _silence_logs(held)
    if settings.scheduler is not None:
        folder = settings.output_dir.absolute()
        return Connection(_join(settings.scheduler, folder, held, messages))
    from distributed import Client

    if settings.slurm is not None:
        n_workers = settings.workers or 1
        cluster = _start_slurm(settings.slurm, n_workers, held, messages)
    else:
        n_workers = settings.worker_count()
        cluster = _start_local(n_workers, held)
    return Connection(held.enter_context(Client(cluster)), cluster, n_workers)


def _silence_logs(held: ExitStack) -> None:
    """Keep Dask's own log off the terminal: what matters comes back as an outcome or an error."""
    import distributed  # noqa: F401  # sets the levels when it is loaded

    for name in ("distributed", "distributed.client"):
        logger = logging.getLogger(name)
        held.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL + 1)


def _start_local(n_workers: int, held: ExitStack) -> Any:
    """Start a cluster of worker processes on this machine; it listens on loopback only."""
    from distributed import LocalCluster

    scratch = held.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
    try:
        cluster = LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=_ANY_LOCAL_PORT,
            local_directory=scratch,
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        raise SettingsError(
            f"--executor dask: {n_workers} workers could not start ({error}); "
            "start fewer with --workers, or use --executor processes"
        ) from None
    return held.enter_context(cluster)


def _join(address: str, folder: Path, held: ExitStack, messages: Messages) -> Any:
    """Join a running cluster and check that its workers can do the work."""
    from distributed import Client

    try:
        client = held.enter_context(Client(address, timeout=_SECONDS_TO_CONNECT))
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f"--scheduler {address}: no Dask scheduler answers ({error}); "
            "expected an address such as tcp://host:8786"
        ) from None
    try:
        seen = client.run(_look_around, str(folder))
    except Exception as error:
        raise SettingsError(
            f"--scheduler {address}: its workers cannot run subtomo ({error}); "
            "install the same version there"
        ) from None
    for worker, (sees_folder, version, working_dir) in seen.items():
        if not sees_folder:
            raise SettingsError(
                f"--scheduler {address}: the worker {worker} does not see {folder}; "
                "workers need the same file system"
            )
        if version != __version__:
            raise SettingsError(
                f"--scheduler {address}: the worker {worker} has subtomo {version}, "
                f"here is {__version__}; install the same version"
            )
        if working_dir != os.getcwd():
            messages.warn(f"Dask workers run in {working_dir}; relative paths mean others there")
    messages.detail(f"joined {address} with {len(seen)} workers")
    return client


def _look_around(folder: str) -> tuple[bool, str, str]:
    """Tell, on a worker, what it sees."""
    return Path(folder).is_dir(), __version__, os.getcwd()


def _start_slurm(path: Path, n_workers: int, held: ExitStack, messages: Messages) -> Any:
    """Start a cluster whose workers are SLURM jobs."""
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise MissingDependency(
            "--slurm needs dask-jobqueue, which is not installed: pip install dask-jobqueue"
        ) from None
    # One worker a job: otherwise dask-jobqueue splits a job's cores, and GPU, among several.
    options = {"processes": 1, "scheduler_options": {"dashboard_address": _ANY_LOCAL_PORT}}
    options |= read_yaml(path)
    try:
        cluster = held.enter_context(SLURMCluster(**options))
    except (TypeError, ValueError) as error:
        raise SettingsError(f"--slurm {path}: {error}") from None
    cluster.scale(n_workers)
    messages.say(f"asked SLURM for {n_workers} workers; the work begins with the first one")
    return cluster
