"""Publishing on an OpenML server: is it there, and one attempt to put it there.

Each upload is one POST request. If it fails without an answer (`OpenMLUnavailableError`), it may have been stored:
ask `find_flow` or `find_run` before sending it again. The server refuses a second flow of the same name and
version, but it stores a second run without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from autometa.components.openml.cache import EntryCache
from autometa.components.openml.connection import checked_server
from autometa.components.openml.documents import dataset_of_task
from autometa.components.openml.entries import Entry
from autometa.components.openml.fetch import Fetcher
from autometa.components.openml.uploads import FlowUpload, RunUpload
from autometa.foundation.settings import get_settings

__all__ = ["OpenMLPublisher"]


class OpenMLPublisher:
    """Publishes flows and runs, with the API key that `OpenMLClient` would use.

    Parameters
    ----------
    server : str
        Address of the XML interface.
    cache_directory : Path or None, default=None
        As `OpenMLClient`: tasks are read from there.
    timeout : float, default=120.0
        Seconds to wait for a connection, and for each next piece of an answer.
    retries : int, default=3
        How often a question is asked before giving up; an upload is never repeated.

    Raises
    ------
    ParameterError
        If the server's address is not valid.
    """

    def __init__(
        self, server: str, cache_directory: Path | None = None, *, timeout: float = 120.0, retries: int = 3
    ) -> None:
        settings = get_settings()
        self.server = checked_server(server)
        self._cache = EntryCache(Path(cache_directory or settings.cache_directory) / "openml", self.server)
        self._fetcher = Fetcher(
            self._cache, self.server, offline=settings.offline, timeout=timeout, retries=retries
        )

    def __repr__(self) -> str:
        """Show the server; never the key."""
        return f"{type(self).__name__}(server={self.server!r})"

    def find_flow(self, name: str, external_version: str) -> int | None:
        """Return the id of a flow; None if the server has no such one.

        Raises
        ------
        OpenMLUnavailableError
            If the server gives no answer that can be used.
        OfflineError, OpenMLError
            If the network is forbidden; if there is no key, or the server refuses it.
        """
        with self._asking(f"Flow {name}") as openml:
            found = openml.flows.flow_exists(name, external_version)
        return int(found) or None

    def upload_flow(self, flow: FlowUpload) -> int:
        """Store a flow that the server does not have; return its id.

        Raises
        ------
        OpenMLUnavailableError
            If there is no answer: it may have been stored.
        OfflineError, OpenMLError
            As `find_flow`; if the server refuses the flow.
        """
        from autometa.components.openml.upload_documents import client_flow

        with self._asking(f"Flow {flow.name}") as openml:
            made = client_flow(openml, flow)
            # The parent's: OpenMLFlow.publish asks again, and fails where only its reading back fails.
            openml.base.OpenMLBase.publish(made)
            return int(made.flow_id)

    def find_run(self, task_id: int, flow_id: int, settings: Mapping[str, str]) -> int | None:
        """Return the id of the run of a flow with these settings on a task; None if the server has no such one.

        Runs that the server could not evaluate count, too.

        Raises
        ------
        OpenMLUnavailableError, OfflineError, OpenMLError
            As `find_flow`.
        """
        from autometa.components.openml.upload_documents import ask_setup

        with self._asking(f"The run of flow {flow_id} on task {task_id}") as openml:
            setup_id = ask_setup(openml, flow_id, settings)
            if setup_id is None:
                return None
            return min(_listed_runs(openml, task=[task_id], setup=[setup_id]), default=None)

    def runs_of_flow(self, flow_id: int) -> set[int]:
        """Return the ids of all runs of a flow.

        Raises
        ------
        OpenMLUnavailableError, OfflineError, OpenMLError
            As `find_flow`.
        """
        with self._asking(f"The runs of flow {flow_id}") as openml:
            return _listed_runs(openml, flow=[flow_id])

    def run_predictions(self, run_id: int) -> pd.DataFrame:
        """Return the predictions of a run of the server's, whoever published it.

        Parameters
        ----------
        run_id : int

        Returns
        -------
        DataFrame
            ``repeat``, ``fold``, ``row_id`` (int64), ``prediction``, ``truth`` (text for classes, float64 for
            numbers) and, for classes, one float64 column ``confidence.<class>`` each.

        Raises
        ------
        OpenMLUnavailableError, OfflineError
            As `find_flow`.
        OpenMLError
            As `find_flow`; if the server has no predictions of it, or they cannot be read.
        """
        from autometa.components.openml.upload_documents import published_predictions

        with self._asking(f"Run {run_id}") as openml:
            return published_predictions(openml.runs.get_run(run_id, ignore_cache=True).predictions)

    def upload_run(self, run: RunUpload, flow: FlowUpload) -> int:
        """Store a run; return its id.

        Parameters
        ----------
        run : RunUpload
        flow : FlowUpload
            The one with the id `run.flow_id`.

        Raises
        ------
        OpenMLUnavailableError
            If there is no answer: it may have been stored.
        OfflineError, OpenMLError
            As `find_flow`; if the server refuses the run, or the predictions do not fit the task.
        """
        from autometa.components.openml.failures import translated
        from autometa.components.openml.upload_documents import client_run

        what = f"The run of flow {run.flow_id} on task {run.task_id}"
        with translated(what, self._fetcher.connect), self._cache.view() as view:
            folder = self._fetcher.ensure(Entry("tasks", run.task_id), view)
            self._fetcher.ensure(Entry("datasets", dataset_of_task(folder)), view)
            with self._fetcher.publishing(view) as openml:
                made = client_run(openml, run, flow)
                made.publish()
                return int(made.run_id)

    @contextmanager
    def _asking(self, what: str) -> Iterator[Any]:
        from autometa.components.openml.failures import translated

        with (
            translated(what, self._fetcher.connect),
            self._cache.view() as view,
            self._fetcher.publishing(view) as openml,
        ):
            yield openml


def _listed_runs(openml: Any, **filters: list[int]) -> set[int]:
    # display_errors: a run that could not be evaluated is up as well
    found = openml.runs.list_runs(**filters, display_errors=True, output_format="dataframe")
    return set() if found.empty else {int(number) for number in found["run_id"]}
