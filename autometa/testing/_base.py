"""What all checks of strategies share: what an author states, and the fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from autometa.components.experiments import Outcome
from autometa.domain.strategy import Configuration, Strategy
from autometa.domain.task import Task
from autometa.foundation.typing import FloatArray
from autometa.testing._apart import fit_apart
from autometa.testing._telling import advise, fail
from autometa.testing.imports import HEAVY_MODULES
from autometa.testing.tables import CLASSIFICATION_TYPES, TABLES, TASK_TYPES, make_task

__all__ = ["DOES_NOT_END", "Checks", "Fit", "Fits", "outputs", "problem", "same"]

# How a fit may end that would take the run of the checks with it.
DOES_NOT_END = frozenset({"timeout", "memory", "crash"})


@dataclass(frozen=True)
class Fit:
    """A fitted estimator, and what it was fitted on."""

    estimator: Any
    task: Task

    def outputs(self) -> FloatArray:
        """Return what it says about the rows it was fitted on."""
        return outputs(self.estimator, self.task.X, self.task)


@dataclass
class Fits:
    """Fits of the default configuration, made once for all checks of a class."""

    # By the strategy's id, the table and the task type.
    known: dict[tuple[int, str, str], Fit] = field(default_factory=dict, repr=False)
    # How the first fit of a task type ended in a process of its own, by the strategy's id and the type.
    endings: dict[tuple[int, str], Outcome] = field(default_factory=dict, repr=False)
    # Kept alive, so that no id is given twice.
    strategies: list[Strategy] = field(default_factory=list, repr=False)


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

    def usual_table(self, strategy: Strategy, task_type: str) -> str:
        """Return the table of the checks that need one only: with images for a strategy that takes no other."""
        refused = [strategy.refusal(make_task(table, task_type)) is not None for table in ("mixed", "images")]
        return "images" if refused == [True, False] else "mixed"

    def task(self, strategy: Strategy, task_type: str, table: str | None = None) -> Task:
        """Return a task that the strategy takes; the check is skipped if it refuses."""
        task = make_task(table or self.usual_table(strategy, task_type), task_type)
        reason = strategy.refusal(task)
        if reason is not None:
            pytest.skip(f"{strategy.name!r} does not take the table {task.name!r}: {reason}")
        return task

    def ending(self, fits: Fits, strategy: Strategy, task_type: str) -> Outcome:
        """Say how the default configuration's fit ends, which is found out in a process of its own."""
        key = (id(strategy), task_type)
        if key not in fits.endings:
            fits.strategies.append(strategy)
            tables = ("mixed", *TABLES)
            taken = (table for table in tables if strategy.refusal(make_task(table, task_type)) is None)
            table = next(taken, None)
            if table is None:
                pytest.skip(f"{strategy.name!r} takes no table of type {task_type}.")
            fits.endings[key] = fit_apart(
                strategy, table, task_type, device=self.device, seconds=self.seconds_per_fit
            )
        return fits.endings[key]

    def fit(self, fits: Fits, strategy: Strategy, configuration: Configuration, task: Task) -> Fit:
        """Build an estimator with seed 0 and fit it on its task, if fits of the strategy end by themselves."""
        self.skip_what_does_not_end(fits, strategy, str(task.type))
        with advise(
            f"Strategy {strategy.name!r} does not fit {configuration} on the table {task.name!r}.",
            "Make the estimator take this table, or let supports() return the reason why it does not.",
        ):
            estimator: Any = strategy.build(configuration, task, device=self.device, random_state=0)
            return Fit(estimator.fit(task.X, task.y), task)

    def skip_what_does_not_end(self, fits: Fits, strategy: Strategy, task_type: str) -> None:
        """Skip a check whose fit would stop all others: `test_keeps_its_time_limit` fails in its place."""
        ending = self.ending(fits, strategy, task_type)
        if ending.status in DOES_NOT_END:
            pytest.skip(f"{strategy.name!r} fails test_keeps_its_time_limit: {ending.message}")

    def fitted(self, fits: Fits, strategy: Strategy, task_type: str, table: str | None = None) -> Fit:
        """Return the default configuration fitted on a table; the check is skipped if the strategy refuses it."""
        table = table or self.usual_table(strategy, task_type)
        task, key = self.task(strategy, task_type, table), (id(strategy), table, task_type)
        if key not in fits.known:
            fits.strategies.append(strategy)
            fits.known[key] = self.fit(fits, strategy, strategy.portfolio(task)[0], task)
        return fits.known[key]


def outputs(estimator: Any, X: Any, task: Task) -> FloatArray:
    """Return probabilities, shape (n_samples, n_classes), or values, shape (n_samples,)."""
    method = estimator.predict_proba if task.is_classification else estimator.predict
    return np.asarray(method(X), dtype=np.float64)


def same(left: FloatArray, right: FloatArray, *, tolerance: float) -> bool:
    """Say whether two outputs are equal up to a relative tolerance; NaN is equal to NaN."""
    return left.shape == right.shape and np.allclose(
        left, right, rtol=tolerance, atol=tolerance * 1e-2, equal_nan=True
    )


def problem(found: Fit) -> str:
    """Say what is wrong with the predictions of the rows that were fitted; nothing, if they are fine."""
    task, predicted = found.task, np.asarray(found.estimator.predict(found.task.X))
    if predicted.shape not in {(task.n_samples,), (task.n_samples, 1)}:
        return f"returns an array of shape {predicted.shape} for {task.n_samples} rows"
    if task.is_classification:
        unknown = sorted(set(predicted.ravel().tolist()) - set(task.classes.tolist()), key=str)
        return f"returns {unknown[0]!r}, which is none of the classes {task.classes.tolist()}" if unknown else ""
    return "" if np.isfinite(predicted.astype(np.float64)).all() else "returns NaN or infinite values"
