"""Clusters: what joblib needs to know of Dask, and cells on Ray."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from joblib import parallel_config

from autometa.foundation.errors import EvaluationError, ParameterError

__all__ = ["BACKENDS", "cluster", "lost_cluster_errors", "lost_worker_errors", "on_ray"]

BACKENDS = ("loky", "threading", "multiprocessing", "dask", "ray")
# How many times a cell may be under way on a worker that dies before Dask gives it up; the run then starts over
# with what is left.
ALLOWED_FAILURES = 10
CONNECT_SECONDS = 60

_logger = logging.getLogger(__name__)


def cluster(backend: str | None, *, scheduler: str | None = None, n_jobs: int = 1) -> AbstractContextManager[Any]:
    """Connect to what runs the cells, for the time of a ``with`` block.

    Parameters
    ----------
    backend : str, optional
        One of `BACKENDS` or another name that joblib knows.
    scheduler : str, optional
        Address of a Dask scheduler (``tcp://...``) or a Ray cluster. Without one, Dask and Ray start `n_jobs`
        workers on this machine.
    n_jobs : int

    Returns
    -------
    context manager

    Raises
    ------
    ParameterError
        If the backend takes no scheduler, or its package is not installed.
    EvaluationError
        If the scheduler cannot be reached.
    """
    if backend == "dask":
        return _dask(scheduler, n_jobs)
    if backend == "ray":
        return _ray(scheduler, n_jobs)
    if scheduler is not None:
        raise ParameterError(
            f"The backend {backend or 'loky'!r} takes no scheduler; it is for 'dask' and 'ray'.",
            scheduler=scheduler,
        )
    return nullcontext()


@contextmanager
def _dask(scheduler: str | None, n_jobs: int) -> Iterator[Any]:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ParameterError(
            "The backend 'dask' needs Dask: pip install 'autometa-ml[dask]', here and where the workers are."
        ) from error
    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": ALLOWED_FAILURES}))
        address: Any = scheduler
        if scheduler is None:
            workers = None if n_jobs < 0 else n_jobs
            address = stack.enter_context(
                LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None)
            )
        try:
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise EvaluationError(
                f"The Dask scheduler {scheduler!r} cannot be reached: {error}. Give its address as in "
                "tcp://127.0.0.1:8786."
            ) from error
        if not _n_threads(client):
            _logger.warning("The Dask scheduler %s has no workers yet; cells wait for the first one.", scheduler)
        stack.enter_context(parallel_config(backend=_dask_backend(client)))
        yield client


def _n_threads(client: Any) -> int:
    return int(sum(client.ncores().values()))


def _dask_backend(client: Any) -> Any:
    from joblib._dask import DaskDistributedBackend

    class Cluster(DaskDistributedBackend):
        """Gives everything to the cluster, however few workers it has just now."""

        def effective_n_jobs(self, n_jobs: int = 1) -> int:
            # With one worker joblib would run all jobs in this process, and without any it gives up after a while,
            # where workers may wait in the queue of a batch system.
            return max(2, _n_threads(self.client))

    return Cluster(client=client)


@contextmanager
def _ray(address: str | None, n_jobs: int) -> Iterator[Any]:
    try:
        import ray
    except ImportError as error:
        raise ParameterError(
            "The backend 'ray' needs Ray: pip install 'autometa-ml[ray]', here and where the workers are."
        ) from error
    os.environ.setdefault(
        "RAY_USAGE_STATS_ENABLED", "0"
    )  # nothing is sent to Ray's makers unless the user says so
    own = {} if address else {"num_cpus": None if n_jobs < 0 else n_jobs, "include_dashboard": False}
    try:
        ray.init(address=address, log_to_driver=False, ignore_reinit_error=True, **own)
    except (ConnectionError, ValueError) as error:
        raise EvaluationError(f"The Ray cluster {address!r} cannot be reached: {error}.") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def on_ray(
    function: Callable[..., Any], first: Any, calls: Iterator[tuple[Any, ...]], *, cores: int
) -> Iterator[Any]:
    """Call a function on the workers of the Ray cluster that `cluster` has connected to.

    Parameters
    ----------
    function : callable
    first : Any
        First argument of every call; sent to each worker once.
    calls : iterator of tuple
        Further arguments.
    cores : int
        Of each call.

    Yields
    ------
    Any
        What the calls return, in the order in which they end. Ray repeats a call whose worker died.
    """
    import ray

    remote = ray.remote(num_cpus=cores, max_retries=-1)(function)
    shared = ray.put(first)
    width = max(4, 2 * int(ray.cluster_resources().get("CPU", 1)))
    under_way = [remote.remote(shared, *call) for call, _ in zip(calls, range(width), strict=False)]
    while under_way:
        ended, under_way = ray.wait(under_way, num_returns=1)
        for reference in ended:
            under_way += [remote.remote(shared, *call) for call, _ in zip(calls, range(1), strict=False)]
            yield ray.get(reference)


def lost_cluster_errors(backend: str | None) -> tuple[type[BaseException], ...]:
    """Return the errors which mean that the cluster's scheduler cannot be reached any more.

    Parameters
    ----------
    backend : str or None
        Of the run. None but Dask's has a scheduler, and a future that loky cancelled raises the same type.

    Returns
    -------
    tuple of exception types
    """
    if backend != "dask":
        return ()
    from distributed import CancelledError
    from distributed.comm import CommClosedError

    return (CancelledError, CommClosedError)


def lost_worker_errors() -> tuple[type[BaseException], ...]:
    """Return the errors which mean that workers died, and that what is left can be run again.

    Returns
    -------
    tuple of exception types
        Of the libraries that are loaded.
    """
    found: list[type[BaseException]] = [BrokenProcessPool]
    if "distributed" in sys.modules:
        from distributed import KilledWorker

        found.append(KilledWorker)
    if "ray" in sys.modules:
        from ray.exceptions import RayError

        found.append(RayError)
    return tuple(found)
