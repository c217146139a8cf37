"""Strategy, Configuration, Candidate: what can be chosen."""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from autometa.foundation.errors import ParameterError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.domain.task import Task
    from autometa.foundation.typing import RandomState

__all__ = ["Candidate", "Configuration", "Scalar", "Strategy", "check_configuration"]

Scalar = str | int | float | bool | None


class Configuration(Mapping[str, Scalar]):
    """One hyperparameter assignment of one strategy: immutable, hashable, with one JSON form.

    Parameters
    ----------
    values : mapping of str to scalar, optional
    **more : str, int, float, bool or None
        Finite; NumPy scalars become Python's.

    Raises
    ------
    ParameterError
        If a name is no string, or a value cannot be written as JSON.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Scalar] | None = None, /, **more: Scalar) -> None:
        merged = {name: _plain(name, value) for name, value in {**(values or {}), **more}.items()}
        self._values = dict(sorted(merged.items()))

    def __getitem__(self, name: str) -> Scalar:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(self.to_json())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Configuration):
            return self.to_json() == other.to_json()  # as the hash: 1 and 1.0 are two configurations
        return isinstance(other, Mapping) and dict(self) == dict(other)

    def __repr__(self) -> str:
        return f"Configuration({', '.join(f'{name}={value!r}' for name, value in self.items())})"

    def to_json(self) -> str:
        """Return the canonical JSON form: sorted names, no spaces."""
        return json.dumps(self._values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Configuration:
        """Read the canonical JSON form.

        Parameters
        ----------
        text : str

        Returns
        -------
        Configuration

        Raises
        ------
        ParameterError
            If `text` is not a JSON object of scalars.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ParameterError(f"A configuration must be a JSON object; got {text[:200]!r}: {error}.") from error
        if not isinstance(values, dict):
            raise ParameterError(f"A configuration must be a JSON object; got {text[:200]!r}.")
        return cls(values)


def _plain(name: Any, value: Any) -> Scalar:
    plain = value.item() if isinstance(value, np.generic) else value
    if not isinstance(name, str):
        raise ParameterError(f"The names of a configuration are strings; got {name!r}.")
    if not isinstance(plain, (str, bool, int, float, type(None))):
        raise ParameterError(
            f"A configuration holds str, int, float, bool or None; {name}={value!r} is {type(value).__name__}."
        )
    if isinstance(plain, float) and not math.isfinite(plain):
        raise ParameterError(f"A configuration holds finite numbers; got {name}={value!r}.")
    return plain


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy with a configuration, with an id that is the same in every process and version.

    Attributes
    ----------
    strategy : str
    configuration : Configuration
    """

    strategy: str
    configuration: Configuration

    @property
    def id(self) -> str:
        """``<strategy>-<8 hexadecimal digits of the configuration>``."""
        digest = hashlib.sha256(self.configuration.to_json().encode()).hexdigest()[:8]
        return f"{self.strategy}-{digest}"

    def __str__(self) -> str:
        values = ", ".join(f"{name}={value}" for name, value in self.configuration.items())
        return f"{self.strategy}({values})"


class Strategy(ABC):
    """A learning strategy: a space of configurations and a recipe that turns one into a scikit-learn estimator.

    A strategy is a factory and nothing else. autometa calls, in this order: `supports` (may refuse with a reason),
    `portfolio` (the configurations that the knowledge base measures), `search_space` (for tuning), `build` (once
    per fit). None of them may look at rows that are not in the task it is handed, and none may change the task.

    Attributes
    ----------
    name : str
        Lower-case identifier, unique among the installed strategies.
    description : str
        One sentence for `autometa strategies`.
    reads_images : bool
        Whether it learns from columns of images. Where it does not, a task with such a column is refused for it,
        because leaving the column out silently would look like having used it.
    interpretable : bool
        Whether a person can read the fitted model, for every configuration: how each column moves the prediction
        is in a few numbers per column (a linear or an additive model of the columns themselves, naive Bayes), or
        the whole model fits on a page (one tree of at most five levels). Where it depends on the configuration,
        override `is_interpretable`.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    interpretable: ClassVar[bool] = False
    reads_images: ClassVar[bool] = False

    def refusal(self, task: Task) -> str | None:
        """Say why a task cannot be taken: because of its images, or for the strategy's own reason.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
            None if it can.
        """
        images = task.columns("image")
        if images and not self.reads_images:
            return (
                f"it does not read images, and {images[0]!r} holds some; leave out the columns of images "
                f"({len(images)}) to use it on the others"
            )
        return self.supports(task)

    def supports(self, task: Task) -> str | None:
        """Say why the strategy cannot take a task.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
            The reason, or None if it can.
        """
        return None

    @abstractmethod
    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
            Names are those of the configurations.
        """

    @abstractmethod
    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return the configurations that the knowledge base measures, the default first.

        It may depend on the task's type, and on what is installed, and on nothing else, so that tasks can be
        compared.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """

    @abstractmethod
    def build(
        self,
        configuration: Configuration,
        task: Task,
        *,
        device: str = "auto",
        random_state: RandomState = None,
    ) -> BaseEstimator:
        """Turn a configuration into an unfitted estimator.

        Parameters
        ----------
        configuration : Configuration
            Inside `search_space`; parameters that are left out have the strategy's defaults.
        task : Task
            The task it will be fitted on (its sizes and column roles may be used, its rows are not fitted here).
        device : {"auto", "cpu", "cuda", "cuda:N", "mps"}
        random_state : int or None

        Returns
        -------
        estimator
            Clonable, with ``fit`` and ``predict`` (and ``predict_proba`` for classification), taking the task's
            raw table.
        """

    def is_interpretable(self, configuration: Configuration, task: Task) -> bool:
        """Say whether a person can read what a configuration fits on a task.

        By default what `interpretable` states.

        Parameters
        ----------
        configuration : Configuration
        task : Task
            Its column roles may matter: what is made of a text can be read by nobody.

        Returns
        -------
        bool
        """
        return self.interpretable

    def warm_up(self, configuration: Configuration, task: Task) -> Configuration:
        """Return the configuration of the small fit that is made before the first one in a new process.

        That fit imports and loads what all fits of the strategy need, so that nobody counts it as the seconds of
        one. By default it is the configuration itself; return another where that is slow even on few rows.

        Parameters
        ----------
        configuration : Configuration
            Of the fit that follows.
        task : Task

        Returns
        -------
        Configuration
        """
        return configuration

    def candidates(self, task: Task) -> tuple[Candidate, ...]:
        """Return the portfolio as candidates.

        Parameters
        ----------
        task : Task

        Returns
        -------
        tuple of Candidate
        """
        return tuple(Candidate(self.name, configuration) for configuration in self.portfolio(task))


def check_configuration(strategy: Strategy, configuration: Mapping[str, Any], task: Task) -> None:
    """Check that a configuration lies inside the strategy's search space.

    Parameters
    ----------
    strategy : Strategy
    configuration : mapping of str to scalar
    task : Task

    Raises
    ------
    ParameterError
        Naming the parameter, the allowed set and the value.
    """
    space = strategy.search_space(task)
    for name, value in configuration.items():
        if name not in space:
            raise ParameterError(
                f"Strategy {strategy.name!r} has no parameter {name!r}; it has {sorted(space)}.",
                parameter=name,
            )
        if not _contains(space[name], value):
            raise ParameterError(
                f"Parameter {name!r} of strategy {strategy.name!r} must be in {space[name]}; got {value!r}.",
                parameter=name,
            )


def _contains(distribution: BaseDistribution, value: Any) -> bool:
    choices = getattr(distribution, "choices", None)
    if choices is not None:
        return value in choices
    low, high = getattr(distribution, "low", -math.inf), getattr(distribution, "high", math.inf)
    # optuna's integer distributions have integer bounds; True is a number to Python, not to a search space.
    kind = numbers.Integral if isinstance(low, int) else numbers.Real
    return not isinstance(value, bool) and isinstance(value, kind) and bool(low <= float(value) <= high)
