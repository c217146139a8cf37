"""What the runs of ``budgets.py`` say: standings, paired differences, and losses by dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.stats import wilcoxon

from autometa.components.leaderboard.cells import compared_cells
from autometa.components.leaderboard.ranks import rank_systems, rounded
from autometa.components.leaderboard.resampling import draw_group_counts, percentile_intervals

OURS = "autometa"
METRIC = "log_loss"
N_BOOTSTRAP = 10_000
BEST_SYSTEM, BEST_PEER, BEST_CANDIDATE = "best system", "best peer", "best candidate"


def losses_by_dataset(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean loss over splits, a row a dataset and a column a system; splits that all systems were run on."""
    cells = compared_cells(runs, METRIC)
    for sentence in cells.left_out:
        print(f"Left out: {sentence}")
    names = runs.drop_duplicates("task").set_index("task")["dataset"]
    losses = cells.losses.groupby(level="task").mean()
    return losses.rename(index=names).rename_axis("dataset").sort_index()


def best_candidates(candidates: pd.DataFrame, runs: pd.DataFrame) -> pd.Series:
    """The lowest mean loss of a candidate on the splits that were run, by name; datasets with all of them."""
    tried = candidates.assign(loss=candidates["log_loss"].where(candidates["status"] == "ok"))
    tried = tried[tried["split"].isin(runs["repeat"].unique())]
    counts = tried.groupby(["name", "split"]).agg(run=("candidate", "nunique"), offered=("n_offered", "max"))
    complete = (counts["run"] == counts["offered"]).groupby(level="name").sum() == runs["repeat"].nunique()
    losses = tried.groupby(["name", "candidate"])["loss"].agg(lambda each: each.mean(skipna=False))
    best = losses.groupby(level="name").min().rename(BEST_CANDIDATE)
    return best[complete.reindex(best.index, fill_value=False)]


def report(runs: pd.DataFrame, candidates: pd.DataFrame | None = None) -> pd.DataFrame:
    """Standings, and the paired differences of autometa's systems from each other system, over all datasets."""
    losses = losses_by_dataset(runs)
    groups = runs.drop_duplicates("dataset").set_index("dataset")["group"].reindex(losses.index)
    draws = _Resampled.of(groups.to_numpy())
    against = _opponents(losses, runs, candidates)
    rows = list(_standings(losses, runs, draws))
    for name in filter(_is_ours, losses.columns):
        rows += [_difference(losses[name], against[other], draws) for other in against if other != name]
    return _rounded(pd.DataFrame(rows))


def by_dataset(runs: pd.DataFrame, candidates: pd.DataFrame | None = None) -> pd.DataFrame:
    """The loss of every system on each dataset, and autometa's less the best peer's: the greatest losses first."""
    losses = losses_by_dataset(runs)
    against = _opponents(losses, runs, candidates)
    facts = runs.groupby("dataset")[["group", "n_train", "n_features", "n_classes"]].first()
    chosen = runs.groupby(["dataset", "system"])["chosen"].first().unstack("system")
    table = pd.concat([facts.reindex(losses.index), pd.DataFrame(against)], axis=1)
    own = list(filter(_is_ours, losses.columns))
    if BEST_PEER in against:
        for name in own:
            table[f"{name} less {BEST_PEER}"] = losses[name] - against[BEST_PEER]
        table = table.sort_values(f"{_longest(own)} less {BEST_PEER}", ascending=False)
    for name in losses.columns:
        table[f"chosen by {name}"] = chosen[name].reindex(table.index)
    return _rounded(table.reset_index())


def _is_ours(system: str) -> bool:
    return system.split("@")[0] == OURS


def _longest(own: Sequence[str]) -> str:
    """The one of autometa's systems that has most seconds."""
    return max(own, key=lambda name: float(name.partition("@")[2].rstrip("s") or 0))


def _rounded(table: pd.DataFrame) -> pd.DataFrame:
    numbers = table.select_dtypes("float").columns
    whole = [name for name in ("n_datasets", "wins", "ties", "losses", "failures") if name in table]
    table = table.assign(**{name: table[name].round(5) for name in numbers})
    return table.astype(dict.fromkeys(whole, "Int64"))


def _opponents(losses: pd.DataFrame, runs: pd.DataFrame, candidates: pd.DataFrame | None) -> dict[str, pd.Series]:
    """Losses by dataset of whom autometa is compared with: every system, and the best in hindsight."""
    found = {name: losses[name] for name in losses.columns}
    found[BEST_SYSTEM] = losses.min(axis=1).rename(BEST_SYSTEM)
    peers = [name for name in losses.columns if not _is_ours(name)]
    if peers:
        found[BEST_PEER] = losses[peers].min(axis=1).rename(BEST_PEER)
    if candidates is not None:
        found[BEST_CANDIDATE] = best_candidates(candidates, runs).reindex(losses.index)
    return found


@dataclass(frozen=True)
class _Resampled:
    """How often each dataset is in each draw of groups.

    Attributes
    ----------
    groups : ndarray of str, shape (n_datasets,)
    counts : ndarray of int64, shape (n_draws, n_datasets)
    """

    groups: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, groups: np.ndarray) -> Self:
        """Draw groups with replacement."""
        _, codes = np.unique(groups.astype(str), return_inverse=True)
        return cls(groups, draw_group_counts(codes, N_BOOTSTRAP, random_state=0))

    def among(self, there: np.ndarray) -> Self:
        """Keep some datasets, and the draws that hold one of them."""
        counts = self.counts[:, there]
        return replace(self, groups=self.groups[there], counts=counts[counts.sum(axis=1) > 0])

    def interval(self, values: np.ndarray, name: str) -> dict[str, float]:
        """Mean over datasets with its interval, of more than one group."""
        means = (self.counts @ values / self.counts.sum(axis=1))[:, None]
        n_groups = len(np.unique(self.groups.astype(str)))
        found = percentile_intervals(np.array([values.mean()]), means, n_groups)[0]
        return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _standings(losses: pd.DataFrame, runs: pd.DataFrame, draws: _Resampled) -> Iterator[dict[str, Any]]:
    ranks = rank_systems(losses.to_numpy())
    known = runs[runs["dataset"].isin(losses.index)]
    for place in np.argsort(losses.mean().to_numpy()):
        name = losses.columns[place]
        mine = known[known["system"] == name]
        row: dict[str, Any] = {"kind": "standing", "system": name, "n_datasets": len(losses)}
        row |= draws.interval(losses[name].to_numpy(), METRIC) | draws.interval(ranks[:, place], "rank")
        row |= {"wins": int((ranks[:, place] == ranks.min(axis=1)).sum())}
        row |= {"failures": int((mine["status"] != "ok").sum()), "fit_seconds": mine["fit_seconds"].median()}
        row |= {"greatest_fit_seconds": mine["fit_seconds"].max()}
        yield row | {"predict_seconds": mine["predict_seconds"].median()}


def _difference(ours: pd.Series, theirs: pd.Series, draws: _Resampled) -> dict[str, Any]:
    """One system less another on the datasets that both have."""
    there = theirs.notna().to_numpy()
    both = np.column_stack([ours, theirs])[there]
    row: dict[str, Any] = {"kind": "difference", "system": ours.name, "against": theirs.name}
    row |= {"n_datasets": len(both)}
    if not len(both):
        return row
    ranks = rank_systems(both)
    less = np.where(rounded(both[:, 0]) == rounded(both[:, 1]), 0.0, both[:, 0] - both[:, 1])
    there_drawn = draws.among(there)
    row |= there_drawn.interval(less, "difference")
    row |= there_drawn.interval(ranks[:, 0] - ranks[:, 1], "rank_difference")
    row |= {"wins": int((less < 0).sum()), "ties": int((less == 0).sum()), "losses": int((less > 0).sum())}
    return row | {"wilcoxon_p": float(wilcoxon(less).pvalue) if (less != 0).any() else float("nan")}
