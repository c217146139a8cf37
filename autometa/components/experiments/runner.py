"""The runner: jobs on a joblib backend, each in its worker's sandbox; results as they end."""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs, wrap_non_picklable_objects

from autometa.components.experiments.clusters import lost_cluster_errors, lost_worker_errors, on_ray
from autometa.components.experiments.lifeline import die_with_parent
from autometa.components.experiments.outcome import Limits, Outcome, Work
from autometa.components.experiments.sandbox import Sandbox
from autometa.foundation.errors import EvaluationError

__all__ = ["run_jobs"]

MAX_POOL_FAILURES = 5
# Cells that a cluster is given at once: as many as workers that may still join it could take.
MIN_DISPATCHED = 256

_logger = logging.getLogger(__name__)
_workers = threading.local()


@dataclass(frozen=True, slots=True)
class _Payload:
    """What every job carries: pickled work of a few kilobytes, unpickled only in sandboxes."""

    work: bytes
    token: str
    limits: Limits
    coordinator: int


def run_jobs(
    work: Work, jobs: Sequence[Any], *, limits: Limits, n_jobs: int = 1, backend: str | None = None, **options: Any
) -> Iterator[tuple[Any, Outcome]]:
    """Do jobs in sandboxes and yield each result the moment it ends.

    Parameters
    ----------
    work : Work
    jobs : sequence
        Anything that pickles, dispatched in this order.
    limits : Limits
        Of each job.
    n_jobs : int
        Workers; -1 for one per core.
    backend : str, optional
        Name of a joblib backend: ``loky`` (default), ``threading``, ``multiprocessing``, or one that was
        registered with joblib. ``dask`` and ``ray`` run inside of `cluster`, on all of its workers.
    **options : Any
        Further arguments of `joblib.Parallel`.

    Yields
    ------
    job, Outcome
        In the order in which they end. Every job exactly once, whatever dies meanwhile.

    Raises
    ------
    EvaluationError
        If the backend's workers die again and again, or the cluster's scheduler is gone.
    """
    # By value where it must be: a strategy that was defined in a notebook cannot be imported by a sandbox.
    pickled = pickle.dumps(wrap_non_picklable_objects(work, keep_wrapper=False))
    payload = _Payload(pickled, hashlib.sha256(pickled).hexdigest(), limits, os.getpid())
    done = bytearray(len(jobs))
    failures = 0
    while not all(done):
        before = sum(done)
        try:
            for index, outcome in _pass(payload, jobs, done, n_jobs=n_jobs, backend=backend, options=options):
                done[index] = 1
                yield jobs[index], outcome
        except lost_cluster_errors(backend) as error:
            raise EvaluationError(
                f"The scheduler of the cluster is gone, or the connection to it ({error}); the cells under way "
                "are lost. Start scheduler and workers again, then give the same command to go on."
            ) from error
        except lost_worker_errors() as error:
            failures = failures + 1 if sum(done) == before else 1
            if failures >= MAX_POOL_FAILURES:
                raise EvaluationError(
                    f"The workers of the joblib backend died {failures} times in a row without finishing a cell "
                    f"({error}). Try fewer workers (n_jobs is {n_jobs}) or a smaller memory limit."
                ) from error
            _logger.warning("Worker processes died (%s); going on with the cells that are left.", error)


def _pass(
    payload: _Payload,
    jobs: Sequence[Any],
    done: bytearray,
    *,
    n_jobs: int,
    backend: str | None,
    options: dict[str, Any],
) -> Iterator[tuple[int, Outcome]]:
    """Run everything that is not done yet, once."""
    pending = (delayed(_run_one)(payload, index, job) for index, job in enumerate(jobs) if not done[index])
    if backend == "ray":
        left = (index for index in range(len(jobs)) if not done[index])
        calls = ((index, jobs[index]) for index in left)
        yield from on_ray(_run_one, payload, calls, cores=payload.limits.cores)
        return
    if backend == "dask":  # as the surrounding `cluster` says
        n_jobs, backend, options = -1, None, {"pre_dispatch": MIN_DISPATCHED, **options}
    # One job a batch: a result must not wait for another's end.
    settings = {"batch_size": 1, "pre_dispatch": "2 * n_jobs", **options}
    if backend == "multiprocessing":  # joblib cannot stream from it, so it is served in short lists
        yield from _short_lists(payload, jobs, done, n_jobs, settings)
        return
    yield from Parallel(n_jobs=n_jobs, backend=backend, return_as="generator_unordered", **settings)(pending)


def _short_lists(
    payload: _Payload, jobs: Sequence[Any], done: bytearray, n_jobs: int, settings: dict[str, Any]
) -> Iterator[tuple[int, Outcome]]:
    with Parallel(n_jobs=n_jobs, backend="multiprocessing", **settings) as parallel:
        left = [index for index in range(len(jobs)) if not done[index]]
        width = 4 * effective_n_jobs(n_jobs)
        for start in range(0, len(left), width):
            chunk = left[start : start + width]
            yield from parallel(delayed(_run_one)(payload, index, jobs[index]) for index in chunk)


def _run_one(payload: _Payload, index: int, job: Any) -> tuple[int, Outcome]:
    """Run in a worker: pass the job to this thread's sandbox."""
    if os.getpid() != payload.coordinator and os.getppid() == payload.coordinator:
        die_with_parent(payload.coordinator, kernel=False)
    return index, _own_sandbox().run(payload.work, payload.token, job, payload.limits)


def _own_sandbox() -> Sandbox:
    """Return this thread's sandbox; a forked worker does not use the one that it inherits."""
    # The inherited one is kept: to drop it would close pipes whose locks were held when the process was forked.
    boxes: dict[int, Sandbox] = _workers.__dict__.setdefault("boxes", {})
    if os.getpid() not in boxes:
        boxes[os.getpid()] = Sandbox()
    return boxes[os.getpid()]
