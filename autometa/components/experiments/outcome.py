"""What a sandbox is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from autometa.foundation.errors import ParameterError
from autometa.foundation.typing import Status

__all__ = ["UNPREPARED", "Begin", "Limits", "Outcome", "Work"]

GIBIBYTE = 1024**3
# Loading a task and importing a learner: the largest OpenML tables take seconds from disk, torch on a loaded
# machine half a minute.
PREPARATION_SECONDS = 300.0
# How the message of an outcome begins whose measured part was never reached.
UNPREPARED = "The preparations (loading the task, a first small fit) ran past"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one cell may use.

    Attributes
    ----------
    seconds : float
        Wall time of fit and predict together; loading the task is not counted.
    memory : int
        Bytes of resident memory above the start of the cell, of the sandbox and of the processes that it starts.
    preparation : float
        Wall time of what comes before: loading the task, importing the learner.
    cores : int
        Threads of numerical libraries, and what joblib takes for all cores.
    """

    seconds: float = 60.0
    memory: int = 4 * GIBIBYTE
    preparation: float = PREPARATION_SECONDS
    cores: int = 1

    def __post_init__(self) -> None:
        for name in ("seconds", "memory", "preparation", "cores"):
            if not getattr(self, name) > 0:
                raise ParameterError(f"The limit of {name} must be above 0; got {getattr(self, name)!r}.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job in a sandbox ended.

    Attributes
    ----------
    status : {"ok", "timeout", "memory", "error", "crash"}
    value : Any
        What the work returned; None unless status is "ok".
    message : str
        What happened otherwise.
    peak_memory : int
        Highest resident memory above the start of the measured part, bytes; 0 where it is not measured.
    seconds : float
        Lower bound of what the measured part would have taken, if it ran past its limit; NaN otherwise.
    note : Any
        What the work said when its measured part began; None if it said nothing or did not come that far.
    """

    status: Status
    value: Any = None
    message: str = ""
    peak_memory: int = 0
    seconds: float = float("nan")
    note: Any = None


class Begin(Protocol):
    """To be called by the work when its preparations are over."""

    def __call__(self, note: Any = None) -> None:
        """Let the limits count from now on.

        Parameters
        ----------
        note : Any
            Anything that pickles; it is in the outcome even if the process dies.
        """
        ...


class Work(Protocol):
    """What a sandbox does with each job; it is sent there once and keeps what it caches between jobs."""

    def __call__(self, job: Any, begin: Begin) -> Any:
        """Do one job.

        Parameters
        ----------
        job : Any
            Anything that pickles.
        begin : Begin
            To be called when the preparations (loading data, imports) are over: the limits count from then on.

        Returns
        -------
        Any
            Anything that pickles.
        """
        ...
