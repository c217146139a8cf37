"""The checks that every strategy passes, as a pytest class to inherit from."""

from __future__ import annotations

from autometa.testing._declaration import DeclarationChecks
from autometa.testing._fitting import FittingChecks
from autometa.testing._space import SpaceChecks

__all__ = ["StrategyConformance"]


class StrategyConformance(DeclarationChecks, SpaceChecks, FittingChecks):
    """What autometa relies on in a strategy, one named check each.

    Inherit from it in a test module and say which strategy is meant; pytest collects the checks::

        from autometa.testing import StrategyConformance
        from autometa_example import ExampleStrategy

        class TestExample(StrategyConformance):
            strategy = ExampleStrategy()

    ``strategy`` may be a fixture as well: for one that needs files, or for several with
    ``@pytest.fixture(params=...)``. The strategy is fitted on tables of at most 60 rows; a table that its
    ``supports`` refuses is skipped with the reason.

    Attributes
    ----------
    strategy : Strategy or fixture
        What is checked.
    task_types : tuple of str
        Default: binary, multiclass, regression.
    tables : tuple of str
        Names out of ``autometa.testing.TABLES`` that are fitted; fewer for a strategy that takes seconds a fit.
    heavy_modules : tuple of str
        What must not be imported before ``build``; extend ``autometa.testing.HEAVY_MODULES`` by your own library.
    seconds_per_fit : float
        Limit of the wall time of a fit, seconds.
    n_sampled, n_fitted_samples : int
        Configurations that are drawn from the search space and built, and how many of those are fitted.
    fits_whole_portfolio : bool
        Whether every configuration of the portfolio is fitted, or only the first two.
    device : str
        Handed to ``build``.
    """
