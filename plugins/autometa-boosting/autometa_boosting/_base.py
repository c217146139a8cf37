"""What the three strategies share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from autometa import Configuration, Strategy, Task

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from sklearn.base import BaseEstimator

    from autometa.preprocessing import BoostingDialect

__all__ = ["BoostingStrategy", "most_rounds"]

# Most trees of a fit, at the least so many rounds, at the most so many: a round has a tree for each of three or
# more classes. The number of rounds that is used comes from held-out rows.
MAX_TREES, MIN_ROUNDS = 4_000, 150
MAX_ROUNDS = 2_000
# Distinct values of a category column; the rarest beyond them are one level.
MAX_LEVELS = 500


def most_rounds(task: Task) -> int:
    """Return the most rounds that are tried on a task.

    Parameters
    ----------
    task : Task

    Returns
    -------
    int
    """
    trees = len(task.classes) if len(task.classes) > 2 else 1
    return min(MAX_ROUNDS, max(MIN_ROUNDS, MAX_TREES // trees))


def installed_version(library: str) -> tuple[int, int] | None:
    """Return the major and minor version of a library, without importing it.

    Parameters
    ----------
    library : str

    Returns
    -------
    tuple of int, or None
        None where no distribution of a usual name states it.
    """
    for distribution in (library, f"{library}-cpu"):
        try:
            major, minor = version(distribution).split(".")[:2]
            return int(major), int(minor)
        except (PackageNotFoundError, ValueError):
            continue
    return None


class BoostingStrategy(Strategy):
    """A boosting library on a table with native categories and missing values."""

    library: ClassVar[str]
    least_version: ClassVar[tuple[int, int]]
    dialect: ClassVar[BoostingDialect]
    configurations: ClassVar[tuple[dict[str, Any], ...]]

    def supports(self, task: Task) -> str | None:
        """Say whether the library is there, in a version whose interface is the one that is used.

        Parameters
        ----------
        task : Task

        Returns
        -------
        str or None
        """
        if find_spec(self.library) is None:
            return f"{self.library} is not installed; `pip install {self.library}` adds it."
        found = installed_version(self.library)
        if found is not None and found < self.least_version:
            least = ".".join(map(str, self.least_version))
            return (
                f"{self.library} {'.'.join(map(str, found))} is too old, {least} or newer is needed; "
                f"`pip install 'autometa-boosting[{self.library}]'` brings it."
            )
        return None

    def portfolio(self, task: Task) -> Sequence[Configuration]:
        """Return the configurations that are measured.

        Parameters
        ----------
        task : Task

        Returns
        -------
        sequence of Configuration
        """
        return tuple(Configuration(values) for values in self.configurations)

    @abstractmethod
    def search_space(self, task: Task) -> Mapping[str, BaseDistribution]:
        """Return what can be tuned.

        Parameters
        ----------
        task : Task

        Returns
        -------
        mapping of str to optuna distribution
        """

    def build(
        self,
        configuration: Configuration,
        task: Task,
        *,
        device: str = "auto",
        random_state: int | None = None,
    ) -> BaseEstimator:
        """Turn a configuration into an unfitted pipeline.

        Parameters
        ----------
        configuration : Configuration
        task : Task
        device : str
            "cuda" for the GPU; anything else is the CPU, on all of its cores.
        random_state : int or None

        Returns
        -------
        Recipe
        """
        from autometa.preprocessing import EarlyStoppedClassifier, EarlyStoppedRegressor, NativeTable, make_recipe

        values = {**self.configurations[0], **configuration}
        learner = self.learner(values, task, device="cuda" if device.startswith("cuda") else "cpu")
        if random_state is not None:
            learner.set_params(random_state=random_state)
        stopped = EarlyStoppedClassifier if task.is_classification else EarlyStoppedRegressor
        boosting = stopped(learner, self.dialect, random_state=random_state)
        return make_recipe(task, NativeTable(MAX_LEVELS, random_state), boosting)

    @abstractmethod
    def learner(self, values: Mapping[str, Any], task: Task, *, device: str) -> Any:
        """Return the library's scikit-learn estimator.

        Parameters
        ----------
        values : mapping of str to scalar
            A whole configuration.
        task : Task
        device : {"cpu", "cuda"}

        Returns
        -------
        estimator
        """
