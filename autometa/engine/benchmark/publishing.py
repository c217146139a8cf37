"""Publishing the runs of a benchmark: each flow and each run once, whatever breaks in between.

OpenML stores a run as often as it is sent. So before anything is sent a line in a durable list says so, and the
server is asked for it; and what was sent without an answer is sent again only if the server still does not have it
when every request that was under way must be over.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import pandas as pd

from autometa.components.openml import FlowUpload, OpenMLPublisher, RunUpload
from autometa.engine.benchmark.flows import digest
from autometa.engine.benchmark.patience import patiently
from autometa.engine.benchmark.publication import PlannedRun, Publication, run_predictions
from autometa.engine.benchmark.upload_list import UploadList, read_stored, upload_list_path
from autometa.foundation.errors import OpenMLError, OpenMLUnavailableError, ParameterError

__all__ = ["Patience", "RunState", "publish", "run_states"]

logger = logging.getLogger(__name__)

T = TypeVar("T")
State = Literal["to publish", "uploaded", "was up", "gone", "changed", "failed"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    Attributes
    ----------
    settle : float
        After an upload without an answer, how long the server is asked for it before it is sent again: longer than
        a server takes to store what it has received.
    unavailable : float
        How long a server that does not answer is waited for.
    pause : float
        Between two questions; longer and longer, up to 30, while the server does not answer.
    attempts : int
        How often an upload is sent at most.
    """

    settle: float = 60.0
    unavailable: float = 600.0
    pause: float = 2.0
    attempts: int = 3

    def __post_init__(self) -> None:
        if min(self.settle, self.unavailable, self.pause) < 0 or self.attempts < 1:
            raise ParameterError(f"{self!r} is not allowed: give seconds of at least 0, and at least 1 attempt.")


@dataclass(frozen=True, slots=True)
class RunState:
    """What became of a run.

    Attributes
    ----------
    task_id : int
    dataset, system : str
    seed : int
    state : str
        "to publish" (dry run), "uploaded" now, "was up" before, "gone" (it was up, and the server has it no more),
        "changed" (it is up with other predictions), "failed".
    flow_id, run_id : int or None
        Ids on the server.
    reason : str or None
        Why it is not up as it should be.
    """

    task_id: int
    dataset: str
    system: str
    seed: int
    state: State
    flow_id: int | None = None
    run_id: int | None = None
    reason: str | None = None


def run_states(publication: Publication, folder: str | os.PathLike[str], server: str) -> list[RunState]:
    """Say what publishing would do, by the list in the folder; nothing is asked or sent.

    Parameters
    ----------
    publication : Publication
    folder : path
        The one that holds the results table.
    server : str

    Returns
    -------
    list of RunState
    """
    stored = read_stored(Path(folder), server)
    found = [stored.get(run_key(run)) for run in publication.runs]
    return [
        _state(run, "to publish") if up is None else _state(run, "was up", up["flow_id"], up["id"])
        for run, up in zip(publication.runs, found, strict=True)
    ]


def publish(
    publication: Publication,
    folder: str | os.PathLike[str],
    publisher: OpenMLPublisher,
    patience: Patience | None = None,
) -> Iterator[RunState]:
    """Publish what is not yet up.

    A run that the server refuses is reported and does not keep the others from being published.

    Parameters
    ----------
    publication : Publication
    folder : path
        The one that holds the results table and the predictions; the list of what is up is kept there.
    publisher : OpenMLPublisher
    patience : Patience or None, default=None

    Yields
    ------
    RunState
        One a run, as it is done.

    Raises
    ------
    OpenMLUnavailableError
        If the server gives no answer for longer than `patience` says. Everything that is up is noted: publish
        again to go on.
    OfflineError, OpenMLError
        If the network is forbidden, or there is no key.
    StoreError
        If the list cannot be written, or another process publishes from this folder.
    """
    with UploadList(upload_list_path(Path(folder), publisher.server), publisher.server) as uploads:
        yield from _Publishing(Path(folder), publisher, uploads, patience or Patience()).runs(publication)


def run_key(run: PlannedRun) -> str:
    """Return the name of a run in the list."""
    return f"run {run.task_id} {run.flow.name} {run.flow.external_version} {digest(run.settings)}"


def _state(
    run: PlannedRun,
    state: State,
    flow_id: int | None = None,
    run_id: int | None = None,
    reason: str | None = None,
) -> RunState:
    return RunState(run.task_id, run.dataset, run.system, run.seed, state, flow_id, run_id, reason)


def _changed(run: PlannedRun, flow_id: int, run_id: int) -> RunState:
    reason = (
        f"run {run_id} of the same flow and settings is up with other predictions than the folder's; ours can be "
        "published when it is deleted on the server"
    )
    return _state(run, "changed", flow_id, run_id, reason)


class _RefusedError(OpenMLError):
    """The server does not take one flow or run; the others may be published."""


class _Publishing:
    """One go at publishing."""

    def __init__(self, folder: Path, publisher: OpenMLPublisher, uploads: UploadList, patience: Patience) -> None:
        self._folder = folder
        self._publisher = publisher
        self._uploads = uploads
        self._patience = patience
        self._flow_ids: dict[tuple[str, str], int] = {}
        self._listed: dict[int, set[int]] = {}

    def runs(self, publication: Publication) -> Iterator[RunState]:
        for run in publication.runs:
            try:
                state = self._run(run)
            except _RefusedError as error:
                state = _state(run, "failed", reason=str(error))
            logger.info("%s on task %s: %s", run.system, run.task_id, state.state)
            yield state

    def _run(self, run: PlannedRun) -> RunState:
        predictions = run_predictions(run.rows, self._folder)
        fingerprint = _fingerprint(predictions)
        known = self._uploads.stored(run_key(run))
        if known is not None:
            return self._known(run, known, fingerprint)
        flow_id = self._flow(run.flow)
        upload = RunUpload(run.task_id, flow_id, run.settings, predictions, run.fold_evaluations())

        def facts(number: int, is_ours: bool) -> dict[str, object]:
            there = fingerprint if is_ours else self._fingerprint_of(number, predictions)
            return {"flow_id": flow_id, "predictions": there}

        number, is_new, known = self._once(
            run_key(run),
            lambda: self._publisher.find_run(run.task_id, flow_id, run.settings),
            lambda: self._publisher.upload_run(upload, run.flow),
            facts,
        )
        if known["predictions"] != fingerprint:
            return _changed(run, flow_id, number)
        return _state(run, "uploaded" if is_new else "was up", flow_id, number)

    def _fingerprint_of(self, run_id: int, predictions: pd.DataFrame) -> str:
        """Return the fingerprint of what is up under a run that was found there, somebody's or ours."""
        try:
            there = self._patiently(lambda: self._publisher.run_predictions(run_id))
        except OpenMLUnavailableError:
            raise
        except OpenMLError as error:
            raise _RefusedError(
                f"run {run_id} of the same flow and settings is up, and its predictions cannot be held against "
                f"the folder's: {error}"
            ) from error
        # A class that no training row had is in the file, with nothing, and not in the folder.
        absent = set(predictions.columns) - set(there.columns)
        unknown = [name for name in there.columns if name not in predictions.columns and not there[name].any()]
        return _fingerprint(there.drop(columns=unknown).assign(**dict.fromkeys(absent, 0.0)))

    def _known(self, run: PlannedRun, known: dict[str, object], fingerprint: str) -> RunState:
        flow_id, run_id = int(str(known["flow_id"])), int(str(known["id"]))
        if flow_id not in self._listed:
            self._listed[flow_id] = self._patiently(lambda: self._publisher.runs_of_flow(flow_id))
        if run_id not in self._listed[flow_id]:
            reason = (
                f"run {run_id} was published and the server has it no more; if it is to be published anew, remove "
                f"its line from {upload_list_path(self._folder, self._publisher.server).name}"
            )
            return _state(run, "gone", flow_id, run_id, reason)
        if known["predictions"] != fingerprint:
            return _changed(run, flow_id, run_id)
        return _state(run, "was up", flow_id, run_id)

    def _flow(self, flow: FlowUpload) -> int:
        key = (flow.name, flow.external_version)
        if key not in self._flow_ids:
            self._flow_ids[key], _, _ = self._once(
                f"flow {flow.name} {flow.external_version}",
                lambda: self._publisher.find_flow(*key),
                lambda: self._publisher.upload_flow(flow),
                lambda number, is_ours: {},
            )
        return self._flow_ids[key]

    def _once(
        self,
        key: str,
        find: Callable[[], int | None],
        send: Callable[[], int],
        facts: Callable[[int, bool], dict[str, object]],
    ) -> tuple[int, bool, dict[str, object]]:
        """Return the id of what `find` finds, after `send` if need be; whether it was sent now; and its facts.

        `facts` are asked with whether the server itself gave the id for what was sent: what is only found after
        an upload failed may be somebody else's.
        """
        number = self._found(find, self._uploads.seconds_since_sent(key))
        is_new, is_ours = number is None, False
        attempt = 0
        while number is None:
            attempt += 1
            number, is_ours = self._sent(key, find, send, is_last=attempt >= self._patience.attempts)
        what = facts(number, is_ours)
        self._uploads.note_stored(key, number, **what)
        return number, is_new, what

    def _sent(
        self, key: str, find: Callable[[], int | None], send: Callable[[], int], *, is_last: bool
    ) -> tuple[int | None, bool]:
        """Send once; return the id, if there is one, and whether it is the answer to what was sent."""
        self._uploads.note_sent(key)
        try:
            return send(), True
        except OpenMLUnavailableError as error:
            logger.warning("%s; the server is asked whether it has it", error)
            number = self._found(find, 0.0)
            if number is None and is_last:  # the server answers questions: it is this upload that it cannot take
                raise _RefusedError(f"{error} It was sent {self._patience.attempts} times.") from error
            return number, False
        except OpenMLError as error:
            # Refused; but also the server's answer when another process was faster, or when a later step failed.
            number = self._found(find, None)
            if number is None:
                self._uploads.note_refused(key)
                raise _RefusedError(str(error)) from error
            return number, False

    def _found(self, find: Callable[[], int | None], since_sent: float | None) -> int | None:
        """Ask for it; if it may be under way, until it is there or the time to settle is over."""
        wait = 0.0 if since_sent is None else self._patience.settle - since_sent
        end = time.monotonic() + wait
        while True:
            is_over = time.monotonic() >= end  # before the question: the last one is asked after the time is over
            number = self._patiently(find)
            if number is not None or is_over:
                return number
            time.sleep(min(self._patience.pause, max(0.0, end - time.monotonic())))

    def _patiently(self, ask: Callable[[], T]) -> T:
        return patiently(ask, self._patience.unavailable, self._patience.pause)


def _fingerprint(predictions: pd.DataFrame) -> str:
    ordered = predictions.sort_values(["repeat", "fold", "row_id"])
    columns = sorted(name for name in ordered.columns if name not in ("repeat", "fold", "row_id"))
    text = ordered[["repeat", "fold", "row_id", *columns]].to_csv(index=False, float_format="%.9g")
    return hashlib.sha256(text.encode()).hexdigest()
