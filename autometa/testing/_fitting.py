"""Checks of what a strategy's estimators do when they are fitted and asked."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd

from autometa.domain.strategy import Strategy
from autometa.domain.task import Task
from autometa.testing._base import DOES_NOT_END, Checks, Fits, outputs, problem, same
from autometa.testing._telling import advise, fail
from autometa.testing.tables import make_task

__all__ = ["FittingChecks"]

EXACT = 1e-9
SAME_SEED = 1e-6
ONE_BY_ONE = 1e-3  # networks sum in another order, in single precision


class FittingChecks(Checks):
    """Fitted estimators predict every table that is not refused, repeatably, and leave their input alone."""

    def test_fits_what_it_takes(self, strategy: Strategy, task_type: str, table: str, fits: Fits) -> None:
        """A table that `supports` does not refuse is fitted, and every row gets a prediction."""
        found = self.fitted(fits, strategy, task_type, table)
        with advise(
            f"Strategy {strategy.name!r} does not predict the table {found.task.name!r} that it was fitted on.",
            "Make the estimator take this table, or let supports() return the reason why it does not.",
        ):
            seen = problem(found)
        if seen:
            fail(
                f"Strategy {strategy.name!r} on the table {found.task.name!r}: predict() {seen}.",
                "predict() returns one known class, or one finite number, for each row.",
            )

    def test_probabilities_are_distributions(
        self, strategy: Strategy, class_type: str, table: str, fits: Fits
    ) -> None:
        """`predict_proba` has a row for each row and a column for each class, finite, at least 0, of sum 1."""
        found = self.fitted(fits, strategy, class_type, table)
        with advise(
            f"Strategy {strategy.name!r} gives no probabilities for the table {found.task.name!r}.",
            "Estimators for classification need predict_proba and classes_; wrap one that has none into "
            "sklearn.calibration.CalibratedClassifierCV.",
        ):
            shape = (found.task.n_samples, len(found.estimator.classes_))
            probabilities = found.outputs()
        if probabilities.shape != shape:
            seen = f"has shape {probabilities.shape}, not {shape} (rows, classes_)"
        elif not np.isfinite(probabilities).all():
            seen = "holds NaN or infinite values"
        elif probabilities.min() < -1e-6 or np.abs(probabilities.sum(axis=1) - 1.0).max() > 1e-4:
            sums = probabilities.sum(axis=1)
            seen = (
                f"is at least {probabilities.min():.4g}, and its rows sum to {sums.min():.4g} .. {sums.max():.4g}"
            )
        else:
            return
        fail(
            f"Strategy {strategy.name!r} on the table {found.task.name!r}: predict_proba() {seen}.",
            "Return finite probabilities that sum to one in each row, a column for each entry of classes_.",
        )

    def test_probabilities_are_in_the_order_of_classes(
        self, strategy: Strategy, class_type: str, fits: Fits
    ) -> None:
        """On an easy table the column with the highest probability is that of the predicted class."""
        found = self.fitted(fits, strategy, class_type, "numeric")
        columns = found.outputs().argmax(axis=1)
        likeliest = np.asarray(found.estimator.classes_)[columns]
        agreement = np.mean(likeliest == np.asarray(found.estimator.predict(found.task.X)))
        if agreement < 0.9:
            fail(
                f"Strategy {strategy.name!r}: the likeliest class of predict_proba() is the one of predict() in "
                f"only {agreement:.0%} of the rows of an easy table.",
                "Column j of predict_proba() belongs to classes_[j].",
            )

    def test_learns_what_is_easy(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """A target that one column decides is predicted better than without any column."""
        found = self.fitted(fits, strategy, task_type, "numeric")
        target, predicted = found.task.y, np.asarray(found.estimator.predict(found.task.X))
        if found.task.is_classification:
            share, known = (
                np.mean(predicted == target),
                np.unique(target, return_counts=True)[1].max() / len(target),
            )
        else:
            share, known = 1.0 - np.mean((predicted - target) ** 2) / np.var(target), 0.0
        if not share > known + 0.1:
            fail(
                f"Strategy {strategy.name!r} learns nothing from an easy table ({task_type}): "
                f"{'accuracy' if found.task.is_classification else 'R2'} on the training rows is {share:.2f}, and "
                f"{known:.2f} without looking at any column.",
                "Check that the default configuration (the first of the portfolio) is sensible for 60 rows, and "
                "that the order of rows is kept.",
            )

    def test_takes_what_it_has_not_seen(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """New categories, gaps in complete columns and constant columns that vary come when a model is used."""
        found = self.fitted(fits, strategy, task_type)
        X = _surprising(found.task.X)
        with advise(
            f"Strategy {strategy.name!r} does not predict rows with unknown levels and new gaps ({task_type}).",
            "Start the pipeline with autometa.preprocessing.make_recipe(task, ...), or let the encoders ignore "
            "what is unknown.",
        ):
            found_outputs = outputs(found.estimator, X, found.task)
        if len(found_outputs) != len(X) or not np.isfinite(found_outputs).all():
            fail(
                f"Strategy {strategy.name!r} predicts NaN, or not every row, for rows with unknown levels and "
                f"new gaps ({task_type}).",
                "Impute with what was learned from the training rows.",
            )

    def test_a_row_alone_is_predicted_as_in_a_batch(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """Predicting learns nothing: a row's prediction does not depend on its neighbours."""
        found = self.fitted(fits, strategy, task_type)
        batch = found.outputs()
        alone = outputs(found.estimator, found.task.X.iloc[[5]], found.task)
        if not same(alone, batch[[5]], tolerance=ONE_BY_ONE):
            fail(
                f"Strategy {strategy.name!r} predicts {alone[0]} for a row alone and {batch[5]} among others.",
                "Learn scales, categories and medians in fit(); use nothing of the other rows in predict().",
            )

    def test_fits_other_rows(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """An estimator that was built for a table cross-validates on parts of it."""
        task = self.task(strategy, task_type)
        self.skip_what_does_not_end(fits, strategy, task_type)
        rows = np.arange(1, task.n_samples, 2)
        with advise(
            f"An estimator that {strategy.name!r} built for a table does not fit half of its rows ({task_type}).",
            "Decide in fit() what depends on the rows, such as the number of neighbours, not in build().",
        ):
            built: Any = strategy.build(strategy.portfolio(task)[0], task, device=self.device, random_state=0)
            part = task.take(rows)
            predicted = outputs(built.fit(part.X, part.y), task.X, task)
        if len(predicted) != task.n_samples:
            fail(
                f"Strategy {strategy.name!r} was fitted on {len(rows)} rows, asked for {task.n_samples}, and "
                f"predicted {len(predicted)}.",
                "Predict the rows that are handed to predict().",
            )

    def test_same_seed_same_predictions(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """Two fits with one random_state predict the same."""
        first = self.fitted(fits, strategy, task_type)
        again = self.fit(fits, strategy, strategy.portfolio(first.task)[0], first.task)
        if not same(again.outputs(), first.outputs(), tolerance=SAME_SEED):
            fail(
                f"Two fits of {strategy.name!r} with random_state=0 predict differently ({task_type}).",
                "Hand random_state on to everything that draws numbers, and do not stop by the clock.",
            )

    def test_pickles(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """A fitted estimator goes through pickle, as it does between processes, and predicts the same."""
        found = self.fitted(fits, strategy, task_type)
        with advise(
            f"A fitted estimator of {strategy.name!r} cannot be pickled ({task_type}).",
            "Keep no lambdas, open files, locks or local classes on it; FunctionTransformer takes module-level "
            "functions.",
        ):
            copy = pickle.loads(pickle.dumps(found.estimator))  # noqa: S301 - of this very line
            copied = outputs(copy, found.task.X, found.task)
        if not same(copied, found.outputs(), tolerance=EXACT):
            fail(
                f"A pickled estimator of {strategy.name!r} predicts differently from the one it came from.",
                "Let __getstate__ keep everything that predict() reads.",
            )

    def test_keeps_its_time_limit(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """In a process of its own a small table is fitted within `seconds_per_fit`, and the process goes on."""
        ending = self.ending(fits, strategy, task_type)
        if ending.status in DOES_NOT_END:
            fail(
                f"A fit of {strategy.name!r} to a small table ({task_type}) had to be ended, or ended its "
                f"process; {self.seconds_per_fit:g} s are allowed. {ending.message}",
                "Give the learner a limit of seconds or of iterations, or state `seconds_per_fit = ...`.",
            )
        if ending.status == "error":
            fail(
                f"Strategy {strategy.name!r} fits nothing in a process of its own ({task_type}): {ending.message}",
                "It travels there by pickle: its class must be at the top level of an importable module.",
            )

    def test_leaves_the_task_alone(self, strategy: Strategy, task_type: str, fits: Fits) -> None:
        """Asking, building, fitting and predicting change neither the table nor the target nor the roles."""
        found = self.fitted(fits, strategy, task_type)
        strategy.search_space(found.task)
        found.outputs()
        changed = _differences(found.task, make_task(self.usual_table(strategy, task_type), task_type))
        if changed:
            fail(
                f"Strategy {strategy.name!r} changes the task's {', '.join(changed)} ({task_type}).",
                "Work on a copy: X = X.copy().",
            )


def _surprising(X: pd.DataFrame) -> pd.DataFrame:
    """Return ten rows as they could come later: unknown levels, new gaps, a constant that varies."""
    later = X.head(10).copy()
    if "picture" in later:
        later.loc[later.index[4], "picture"], later.loc[later.index[5], "second"] = None, np.nan
        return later
    later["few"] = later["few"].astype(object)
    later.loc[later.index[:3], "few"] = "never seen"
    later.loc[later.index[:3], "many"] = "never seen either"
    later["words"] = later["words"].astype(object)
    later.loc[later.index[4], "words"] = None
    later.loc[later.index[5:], "constant"] = [np.nan, 2.0, 3.0, -1.0, 1e6]
    later["empty"] = 1.0
    later.loc[later.index[6], ["first", "second", "third", "fourth"]] = np.nan
    return later


def _differences(task: Task, original: Task) -> list[str]:
    same_parts = {
        "table (X)": task.X.equals(original.X) and list(task.X.columns) == list(original.X.columns),
        "target (y)": np.array_equal(task.y, original.y),
        "roles": dict(task.roles) == dict(original.roles),
    }
    return [part for part, is_same in same_parts.items() if not is_same]
