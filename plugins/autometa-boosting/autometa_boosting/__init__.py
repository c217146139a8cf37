"""Boosting libraries for autometa: LightGBM, XGBoost and CatBoost, each if its library is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from autometa import Strategy, hookimpl

__all__ = ["register_knowledge", "register_strategies"]


@hookimpl
def register_strategies(register: Callable[[Strategy], None]) -> None:
    """Register the three strategies; one whose library is absent refuses every task with that reason.

    Parameters
    ----------
    register : callable
    """
    from autometa_boosting.catboost import CatBoost
    from autometa_boosting.lightgbm import LightGBM
    from autometa_boosting.xgboost import XGBoost

    for strategy in (LightGBM(), XGBoost(), CatBoost()):
        register(strategy)


@hookimpl
def register_knowledge(register: Callable[[Path], None]) -> None:
    """Register what these strategies did on the tasks of autometa's knowledge base.

    Parameters
    ----------
    register : callable
    """
    register(Path(__file__).parent / "knowledge")
