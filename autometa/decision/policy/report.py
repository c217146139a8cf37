"""The outcome of an evaluation: closed gaps with paired bootstrap intervals over dataset groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from autometa.decision.policy.averages import AVERAGES, JudgedGroups
from autometa.foundation.typing import FloatArray

__all__ = ["TOP_K", "EvaluationReport", "closed_gap"]

TOP_K = (1, 3, 5)
_QUANTILES = (0.5, 0.8, 0.9, 0.95)
ZERO = "single_best"
PORTFOLIO = "static_portfolio"


def closed_gap(regret: FloatArray, regret_of_single_best: FloatArray, counts: FloatArray | None = None) -> float:
    """Return the share of the way from the single best (0) to the best possible choice per task (1).

    Parameters
    ----------
    regret, regret_of_single_best : ndarray of float64, shape (n_tasks,)
        Loss above the best possible choice.
    counts : ndarray of float64, shape (n_tasks,), optional
        What every task counts; default 1.

    Returns
    -------
    float
        NaN if the single best is the best possible choice everywhere.
    """
    each = np.ones(len(regret)) if counts is None else counts
    whole = float(each @ regret_of_single_best)
    return 1.0 - float(each @ regret) / whole if whole > 0 else float("nan")


@dataclass(frozen=True, eq=False)
class EvaluationReport:
    """What policies did on tasks that they had not seen.

    Attributes
    ----------
    results : DataFrame
        One row per (policy, seed, task): ``regret_1``, ``regret_3``, ``regret_5`` (regret of the best of the
        first 1, 3, 5), ``first`` (candidate id), ``first_inside`` and ``all_inside`` (whether the loss lies
        in its 80 % interval; share over candidates), ``expected_error`` (mean absolute error of the expected
        loss), ``log_seconds_error`` (mean absolute error of the log fit time), ``familiarity``, ``fallback``.
    metric : str
    n_candidates : int
    protocol : str
    """

    results: pd.DataFrame
    metric: str
    n_candidates: int
    protocol: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per average, policy and length of the list.

        Returns
        -------
        DataFrame
            ``metric``; ``average``: "groups" (every dataset group counts 1) or "tasks" (every task counts 1);
            ``policy``, ``top_k``, ``closed_gap`` with ``low`` and ``high``; ``over_portfolio`` (closed gap
            above that of the static portfolio, NaN if it was not judged) with its ``low`` and ``high``;
            ``mean_regret``; ``regret_50``, ``_80``, ``_90``, ``_95`` (quantiles). Intervals: 95 %, paired
            bootstrap over groups.
        """
        # In order of the task keys.
        groups = JudgedGroups.of(self.results.groupby("task")["group"].first().sort_index())
        drawn, policies = groups.draws(), self.results["policy"].unique()
        return pd.DataFrame(
            self._row(policy, k, drawn, groups.weights(average), average)
            for average in AVERAGES
            for policy in policies
            for k in TOP_K
        )

    def _row(self, policy: str, k: int, drawn: FloatArray, counts: FloatArray, average: str) -> dict[str, object]:
        # Whoever only asks a policy needs no leaderboard.
        from autometa.components.leaderboard.resampling import percentile_ends

        draws = drawn * counts
        own, zero = self._per_task(policy, k), self._per_task(ZERO, 1)
        judged = set(self.results["policy"])
        other = self._per_task(PORTFOLIO, k) if PORTFOLIO in judged else np.full(len(own), np.nan)
        whole = draws @ zero
        with np.errstate(divide="ignore", invalid="ignore"):
            gaps, differences = 1 - (draws @ own) / whole, (draws @ (other - own)) / whole
        over = closed_gap(own, zero, counts) - closed_gap(other, zero, counts)
        return {
            "metric": self.metric,
            "average": average,
            "policy": policy,
            "top_k": k,
            "closed_gap": closed_gap(own, zero, counts),
            **dict(zip(("low", "high"), percentile_ends(gaps), strict=True)),
            "over_portfolio": over,
            **dict(zip(("over_portfolio_low", "over_portfolio_high"), percentile_ends(differences), strict=True)),
            "mean_regret": float(np.average(own, weights=counts)),
            **{
                f"regret_{q:.0%}".rstrip("%"): float(np.quantile(own, q, weights=counts, method="inverted_cdf"))
                for q in _QUANTILES
            },
        }

    def _per_task(self, policy: str, k: int) -> FloatArray:
        """Return the mean over seeds of one policy's regret on every task, in order of the task keys."""
        own = self.results[self.results["policy"] == policy]
        return own.groupby("task")[f"regret_{k}"].mean().sort_index().to_numpy(dtype=np.float64)

    @property
    def n_tasks(self) -> int:
        """Number of tasks judged."""
        return int(self.results["task"].nunique())

    @property
    def n_groups(self) -> int:
        """Number of dataset groups judged."""
        return int(self.results["group"].nunique())

    def honesty(self) -> pd.DataFrame:
        """Return how honest the forecasts are, one row per policy.

        Returns
        -------
        DataFrame
            ``policy``; ``first_inside`` and ``all_inside``: measured coverage of the 80 % intervals of the
            first candidate and of all; ``expected_error``: mean absolute error of the expected loss;
            ``seconds_factor``: typical factor between predicted and measured fit time; ``fallback``: share of
            tasks where it fell back.
        """
        columns = ["first_inside", "all_inside", "expected_error", "log_seconds_error", "fallback"]
        means = self.results.groupby("policy", sort=False)[columns].mean()
        means["seconds_factor"] = np.exp(means.pop("log_seconds_error"))
        return means.reset_index()

    def to_markdown(self) -> str:
        """Return the tables as Markdown.

        Returns
        -------
        str
        """
        n_seeds = self.results["seed"].nunique()
        head = (
            f"{self.metric}: {self.n_tasks} tasks in {self.n_groups} groups, {self.n_candidates} candidates, "
            f"{self.protocol}, {n_seeds} seeds. "
            "0 = single best, 1 = best possible choice per task; 95 % intervals. "
            "Averages over groups count every dataset group once, averages over tasks every task."
        )
        frame = self.to_frame()
        lines = ["| average over | policy | " + " | ".join(f"top-{k} | over portfolio" for k in TOP_K) + " |"]
        lines.append("|---" * (2 * len(TOP_K) + 2) + "|")
        for (average, policy), part in frame.groupby(["average", "policy"], sort=False):
            cells = [f"{_interval(row, '')} | {_interval(row, 'over_portfolio')}" for _, row in part.iterrows()]
            lines.append(f"| {average} | {policy} | " + " | ".join(cells) + " |")
        return head + "\n\n" + "\n".join(lines) + "\n"


def _interval(row: pd.Series, prefix: str) -> str:
    value = row[prefix or "closed_gap"]
    low, high = row[f"{prefix}_low" if prefix else "low"], row[f"{prefix}_high" if prefix else "high"]
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"
