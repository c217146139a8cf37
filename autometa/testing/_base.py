"""What all checks of strategies share: what an author states, the fits, and how a failure is told."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ClassVar, NoReturn

import numpy as np
import pytest

from autometa.domain.strategy import Configuration, Strategy
from autometa.domain.task import Task
from autometa.foundation.typing import FloatArray
from autometa.testing.imports import HEAVY_MODULES
from autometa.testing.tables import CLASSIFICATION_TYPES, TABLES, TASK_TYPES, make_task

__all__ = ["Checks", "Fit", "Fits", "advise", "fail", "outputs", "same"]


@dataclass(frozen=True)
class Fit:
    """A fitted estimator, what it was fitted on, and how long that took."""

    estimator: Any
    task: Task
    seconds: float

    def outputs(self) -> FloatArray:
        """Return what it says about the rows it was fitted on."""
        return outputs(self.estimator, self.task.X, self.task)


@dataclass
class Fits:
    """Fits of the default configuration, made once for all checks of a class."""

    known: dict[tuple[int, str, str], Fit] = field(default_factory=dict, repr=False)
    # Kept alive, so that no id is given twice.
    strategies: list[Strategy] = field(default_factory=list, repr=False)

    def default(self, strategy: Strategy, table: str, task_type: str, device: str) -> Fit:
        """Return the fit of the strategy's first configuration on a table."""
        key = (id(strategy), table, task_type)
        if key not in self.known:
            self.strategies.append(strategy)
            task = make_task(table, task_type)
            self.known[key] = fit(strategy, strategy.portfolio(task)[0], task, device)
        return self.known[key]


class Checks:
    """What the author of a strategy states; `StrategyConformance` documents it."""

    strategy: ClassVar[Any]
    task_types: ClassVar[tuple[str, ...]] = TASK_TYPES
    tables: ClassVar[tuple[str, ...]] = TABLES
    heavy_modules: ClassVar[tuple[str, ...]] = HEAVY_MODULES
    seconds_per_fit: ClassVar[float] = 60.0
    n_sampled: ClassVar[int] = 20
    n_fitted_samples: ClassVar[int] = 1
    fits_whole_portfolio: ClassVar[bool] = True
    device: ClassVar[str] = "cpu"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run a check for each task type and table that its arguments ask for."""
        stated = getattr(self, "strategy", None)
        if isinstance(stated, type):
            fail(
                f"{type(self).__name__}.strategy is a class.",
                f"Write `strategy = {stated.__name__}()`: what a plugin registers is an instance.",
            )
        if isinstance(stated, Strategy) and "strategy" in metafunc.fixturenames:
            metafunc.parametrize("strategy", [stated], ids=[str(getattr(stated, "name", "nameless"))])
        if "class_type" in metafunc.fixturenames:
            metafunc.parametrize("class_type", [kind for kind in self.task_types if kind in CLASSIFICATION_TYPES])
        if "task_type" in metafunc.fixturenames:
            metafunc.parametrize("task_type", self.task_types)
        if "table" in metafunc.fixturenames:
            metafunc.parametrize("table", self.tables)

    @pytest.fixture(scope="class")
    @classmethod
    def fits(cls) -> Fits:
        """Return what the checks of this class have fitted so far."""
        return Fits()

    def task(self, strategy: Strategy, task_type: str, table: str = "mixed") -> Task:
        """Return a task that the strategy takes; the check is skipped if it refuses."""
        task = make_task(table, task_type)
        reason = strategy.supports(task)
        if reason is not None:
            pytest.skip(f"{strategy.name!r} does not take the table {task.name!r}: {reason}")
        return task

    def fitted(self, fits: Fits, strategy: Strategy, task_type: str, table: str = "mixed") -> Fit:
        """Return the default configuration fitted on a table; the check is skipped if the strategy refuses it."""
        self.task(strategy, task_type, table)
        return fits.default(strategy, table, task_type, self.device)


def fit(strategy: Strategy, configuration: Configuration, task: Task, device: str) -> Fit:
    """Build an estimator with seed 0 and fit it on its task."""
    with advise(
        f"Strategy {strategy.name!r} does not fit {configuration} on the table {task.name!r}.",
        "Make the estimator take this table, or let supports() return the reason why it does not.",
    ):
        started = time.perf_counter()
        estimator: Any = strategy.build(configuration, task, device=device, random_state=0)
        estimator.fit(task.X, task.y)
        return Fit(estimator, task, time.perf_counter() - started)


def outputs(estimator: Any, X: Any, task: Task) -> FloatArray:
    """Return probabilities, shape (n_samples, n_classes), or values, shape (n_samples,)."""
    method = estimator.predict_proba if task.is_classification else estimator.predict
    return np.asarray(method(X), dtype=np.float64)


def same(left: FloatArray, right: FloatArray, *, tolerance: float) -> bool:
    """Say whether two outputs are equal up to a relative tolerance; NaN is equal to NaN."""
    return left.shape == right.shape and np.allclose(
        left, right, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True
    )


def fail(said: str, advice: str) -> NoReturn:
    """Fail the check: what was seen, and what to do about it."""
    __tracebackhide__ = True
    pytest.fail(f"{said}\n  -> {advice}", pytrace=False)


def advise(said: str, advice: str) -> AbstractContextManager[None]:
    """Tell what to do about an error of the strategy's own code, and keep its traceback."""
    return _Advised(said, advice)


@dataclass
class _Advised(AbstractContextManager[None]):
    """Turns an exception into a failed check; pytest leaves it out of the traceback."""

    said: str
    advice: str

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        if isinstance(error, Exception):
            said = f"{self.said} {type(error).__name__}: {error}"
            raise AssertionError(f"{said}\n  -> {self.advice}") from error  # noqa: TRY004 - a failed check
