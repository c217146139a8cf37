"""Strategies of the tests, importable by sandboxes."""

from __future__ import annotations

import time

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from autometa.domain import Configuration, Strategy


class _Made(Strategy):
    def search_space(self, task):
        """Nothing to tune."""
        return {}

    def portfolio(self, task):
        """One."""
        return [Configuration()]


class Good(_Made):
    """Knows something."""

    name = "good"

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Neighbours."""
        return KNeighborsClassifier(15)


class Guess(_Made):
    """Guesses."""

    name = "guess"

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Class frequencies."""
        return DummyClassifier()


class Sleeper(_Made):
    """Never comes back, once the table is not tiny."""

    name = "sleeper"

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Sleep."""
        return SleepingClassifier()


class Drowsy(_Made):
    """Fine on few rows, sleeps on more than 400."""

    name = "drowsy"

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Neighbours that may sleep."""
        return DrowsyClassifier(14)


class Raiser(_Made):
    """Always raises."""

    name = "raiser"

    def build(self, configuration, task, *, device="auto", random_state=None):
        """Raise."""
        raise AttributeError("a bug in the plugin")


class SleepingClassifier(ClassifierMixin, BaseEstimator):
    """See `Sleeper`."""

    def fit(self, X, y):
        """Sleep where it is not a warm-up."""
        time.sleep(600 if len(X) > 60 else 0)
        raise ValueError("too few rows")


class DrowsyClassifier(KNeighborsClassifier):
    """See `Drowsy`."""

    def fit(self, X, y):
        """Sleep where there are many rows."""
        time.sleep(200 if len(X) > 400 else 0)
        return super().fit(X, y)
