"""Checks of what a strategy declares before anything is fitted."""

from __future__ import annotations

from autometa.domain.strategy import Strategy
from autometa.testing._base import Checks
from autometa.testing._telling import advise, fail
from autometa.testing.imports import heavy_imports
from autometa.testing.tables import TABLES, TASK_TYPES, make_task

__all__ = ["DeclarationChecks"]


class DeclarationChecks(Checks):
    """The declaration, the import, and which tables are taken."""

    def test_declares_what_it_is(self, strategy: Strategy) -> None:
        """Name, description and interpretability are stated on the class."""
        kind, problems = type(strategy), []
        name, description = getattr(kind, "name", None), getattr(kind, "description", None)
        if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
            problems.append(f"`name` must be a lower-case identifier, like 'nearest_mean'; got {name!r}")
        if not isinstance(description, str) or not description.strip() or "\n" in description:
            problems.append(f"`description` must be one line for `autometa strategies`; got {description!r}")
        if not isinstance(getattr(kind, "interpretable", None), bool):
            problems.append(f"`interpretable` must be True or False; got {getattr(kind, 'interpretable', None)!r}")
        if problems:
            fail(
                f"{kind.__name__} does not declare itself: {'; '.join(problems)}.",
                "State them in the class body, for instance `name: ClassVar[str] = 'nearest_mean'`.",
            )

    def test_says_what_can_be_read(self, strategy: Strategy, task_type: str) -> None:
        """`is_interpretable` says True or False of every configuration of the portfolio, and never raises."""
        task = self.task(strategy, task_type)
        for configuration in strategy.portfolio(task):
            with advise(
                f"is_interpretable() of {strategy.name!r} raises for {configuration}.",
                "Read missing parameters as the default configuration's; what raises counts as not interpretable.",
            ):
                answer = strategy.is_interpretable(configuration, task)
            if not isinstance(answer, bool):
                fail(
                    f"is_interpretable() of {strategy.name!r} returns {answer!r} for {configuration}.",
                    "Return True if a person can read what is fitted, else False.",
                )

    def test_imports_no_heavy_library(self, strategy: Strategy) -> None:
        """In a fresh process, everything up to `build` works without a heavy library."""
        with advise(
            f"supports, portfolio and search_space of {type(strategy).__name__} do not work in a fresh process.",
            "The strategy travels there by pickle: its class must be at the top level of an importable module, "
            "and what it keeps must pickle.",
        ):
            found = heavy_imports(_ask_everything, strategy, heavy_modules=self.heavy_modules)
        if found:
            fail(
                f"Importing {type(strategy).__module__!r} and asking {type(strategy).__name__} for supports, "
                f"portfolio and search_space imports {found}.",
                "Import heavy libraries inside of build(); whether one is installed says "
                "importlib.util.find_spec(name), which does not import it.",
            )

    def test_answers_for_every_table(self, strategy: Strategy, task_type: str) -> None:
        """`supports` returns None or a reason for every table, awkward ones too, and never raises."""
        for table in TABLES:
            task = make_task(table, task_type)
            with advise(
                f"supports() of {strategy.name!r} raises for the table {task.name!r}.",
                "Return the reason as a string instead; what raises is left out without one.",
            ):
                reason = strategy.refusal(task)
            if reason is not None and not (isinstance(reason, str) and reason.strip()):
                fail(
                    f"supports() of {strategy.name!r} returns {reason!r} for the table {task.name!r}.",
                    "Return None if it takes the task, else a sentence that says why not.",
                )

    def test_takes_some_table(self, strategy: Strategy) -> None:
        """At least one of the small tables is not refused, so the other checks check something."""
        for task in (make_task(table, kind) for table in TABLES for kind in TASK_TYPES):
            reason = strategy.refusal(task)
            if reason is None:
                return
        fail(
            f"{strategy.name!r} refuses every table; the last one, {task.name!r}, because: {reason}",
            "Install what it needs where the checks run, or give the checks an instance that is small enough.",
        )


def _ask_everything(strategy: Strategy) -> None:
    for task_type in TASK_TYPES:
        for task in (make_task(table, task_type) for table in ("mixed", "images")):
            if strategy.refusal(task) is None:
                strategy.portfolio(task)
                strategy.search_space(task)
