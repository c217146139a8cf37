"""Putting knowledge bases together: equal ones, or one and what a plugin adds to it.

A supplement is a knowledge base whose tasks another one describes: it holds evaluations, candidates and the facts
of the tasks (their fingerprints prove that the data are the same), and meta-features only of what the other lacks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from autometa.components.knowledge.manifest import Manifest
from autometa.domain import METRICS, Candidate, Configuration
from autometa.foundation.errors import KnowledgeError, KnowledgeSchemaError, ParameterError

if TYPE_CHECKING:
    from autometa.components.knowledge.base import KnowledgeBase

__all__ = [
    "check_own",
    "check_same_data",
    "check_supplement",
    "merged_manifest",
    "merged_tables",
    "renamed_tables",
    "supplement_tables",
    "supplemented_tables",
]

# Scores are stored in single precision, which may round them over the end of their range.
_ROUNDING = 1e-5
IDENTITY: Mapping[str, list[str]] = {
    "tasks": ["task"],
    "metafeatures": ["task", "train_size"],
    "candidates": ["candidate"],
    "evaluations": ["task", "split", "train_size", "candidate"],
}


def merged_manifest(bases: Sequence[KnowledgeBase]) -> Manifest:
    """Return the first one's manifest with the provenance and the meta-features of all.

    Parameters
    ----------
    bases : sequence of KnowledgeBase

    Returns
    -------
    Manifest

    Raises
    ------
    KnowledgeSchemaError
        If their meta-features are of different versions.
    """
    describing = [base for base in bases if len(base.metafeatures)] or list(bases[:1])
    versions = {base.manifest.metafeature_version for base in describing}
    if len(versions) != 1:
        raise KnowledgeSchemaError(
            f"Knowledge bases with meta-features of versions {sorted(versions)} cannot be merged; build them "
            "with one version of autometa.",
            versions=sorted(versions),
        )
    names = [base.manifest.metafeature_names for base in describing]
    kinds = dict.fromkeys(kind for each in names for kind in each)
    changes = {
        "metafeature_version": versions.pop(),
        "metafeature_names": {
            kind: list(dict.fromkeys(name for each in names for name in each.get(kind, ()))) for kind in kinds
        },
        "provenance": _merged_provenance([base.manifest.provenance for base in bases]),
        "files": {},
    }
    return bases[0].manifest.model_copy(update=changes)


def check_same_data(bases: Sequence[KnowledgeBase]) -> None:
    """Refuse a key that stands for two things: other data, or the same data split by other rules.

    Parameters
    ----------
    bases : sequence of KnowledgeBase

    Raises
    ------
    KnowledgeError
    """
    parts = [
        base.tasks[["task", "fingerprint"]]
        .astype(str)
        .assign(rules=repr(base.manifest.provenance.get("protocol")))
        for base in bases
    ]
    counts = pd.concat(parts).drop_duplicates().groupby("task").size()
    different = counts[counts > 1].index.tolist()
    if different:
        raise KnowledgeError(
            f"The knowledge bases use the keys {different[:5]} for different data or splits, so they cannot be "
            "merged. Build one of them anew from the other's data and protocol.",
            tasks=different,
        )


def _merged_provenance(stories: list[dict[str, Any]]) -> dict[str, Any]:
    """Return all runs and datasets left out; the protocol only if it is one."""
    protocols = [story.get("protocol") for story in stories]
    runs: list[Any] = []
    for run in (run for story in stories for run in story.get("runs", [])):
        if run not in runs:
            runs.append(run)
    skipped = {key: reason for story in stories for key, reason in story.get("skipped", {}).items()}
    shared = {"protocol": protocols[0]} if all(protocol == protocols[0] for protocol in protocols) else {}
    return {**shared, "runs": runs, "skipped": skipped}


def merged_tables(parts: Sequence[Mapping[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Stack the tables of several knowledge bases; where two hold the same row, the later one counts.

    Parameters
    ----------
    parts : sequence of mapping of table name to DataFrame

    Returns
    -------
    dict of table name to DataFrame
    """
    return {name: _stacked([part[name] for part in parts], IDENTITY[name]) for name in IDENTITY}


def _stacked(tables: list[pd.DataFrame], identity: list[str]) -> pd.DataFrame:
    filled = _with_shared_categories([table for table in tables if len(table)] or tables[:1])
    return pd.concat(filled, ignore_index=True).drop_duplicates(identity, keep="last").reset_index(drop=True)


def _with_shared_categories(tables: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Give the categorical columns of all tables the same categories, so that stacking keeps them."""
    if len(tables) == 1:
        return tables
    shared = set.intersection(*(set(table.select_dtypes("category").columns) for table in tables))
    for column in shared:
        union = pd.Index(
            np.unique(np.concatenate([table[column].cat.categories.to_numpy(object) for table in tables]))
        )
        tables = [table.assign(**{column: table[column].cat.set_categories(union)}) for table in tables]
    return [
        table.astype(dict.fromkeys(set(table.select_dtypes("category").columns) - shared, object))
        for table in tables
    ]


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype(dict.fromkeys(table.select_dtypes("category").columns, object))


def supplemented_tables(base: KnowledgeBase, more: KnowledgeBase) -> dict[str, pd.DataFrame]:
    """Return the tables of `base` with the rows and meta-features that only `more` has: nothing is replaced.

    Parameters
    ----------
    base, more : KnowledgeBase

    Returns
    -------
    dict of table name to DataFrame
    """
    known = {name: getattr(base, name) for name in IDENTITY}
    new = {name: _unknown(known[name], getattr(more, name), IDENTITY[name]) for name in IDENTITY}
    brought = [name for name in more.metafeatures.columns if name not in base.metafeatures.columns]
    if brought and len(more.metafeatures):
        pair = IDENTITY["metafeatures"]
        values = _plain(more.metafeatures[[*pair, *brought]])
        known["metafeatures"] = _plain(base.metafeatures).merge(values, on=pair, how="left")
    return merged_tables([known, new])


def _unknown(known: pd.DataFrame, table: pd.DataFrame, identity: list[str]) -> pd.DataFrame:
    if table.empty:
        return table
    last = identity[-1]
    if last == "candidate":  # of most plugins no candidate is known: the keys of all evaluations need not be made
        known = known[known[last].isin(table[last].unique())]
    return table[~_keys(table, identity).isin(_keys(known, identity))].reset_index(drop=True)


def _keys(table: pd.DataFrame, identity: list[str]) -> pd.Index:
    plain = _plain(table[identity])
    return pd.MultiIndex.from_frame(plain) if len(identity) > 1 else pd.Index(plain[identity[0]])


def check_supplement(base: KnowledgeBase, more: KnowledgeBase) -> None:
    """Check that every evaluation of `more` is about a task that one of the two describes, with the same splits.

    Parameters
    ----------
    base, more : KnowledgeBase

    Raises
    ------
    KnowledgeError
        If it follows another protocol or has other data under the same keys, evaluations of unstated tasks or
        candidates, candidates whose ids are not theirs, scores outside of their metric's range, or tasks and
        training sizes that neither describes.
    """
    for column, table in (("task", more.tasks), ("candidate", more.candidates)):
        unstated = sorted(set(more.evaluations[column].astype(str)) - set(table[column].astype(str)))
        if unstated:
            raise KnowledgeError(
                f"It has evaluations of the {column}s {unstated[:5]}, which its {column}s.parquet does not list. "
                "Write it with `autometa kb export --plugin`.",
                **{f"{column}s": unstated},
            )
    _check_ids(more.candidates)
    _check_scores(more.evaluations)
    _check_protocol(base, more)
    check_same_data((base, more))
    pair = IDENTITY["metafeatures"]
    asked = _keys(more.evaluations[pair].drop_duplicates(), pair)
    unknown = asked
    for table in (base.metafeatures, more.metafeatures, base.evaluations):  # the large one only if it must be
        if len(unknown):
            unknown = unknown[~unknown.isin(_keys(table[pair].drop_duplicates(), pair))]
    if len(unknown):
        raise KnowledgeError(
            f"It has evaluations on {len(unknown)} pairs of task and training size (0 = all rows), such as "
            f"{unknown[:3].tolist()}, that neither it nor the knowledge base it adds to describes. Write it with "
            "`autometa kb export --plugin` for the knowledge base that is used: it then has the meta-features.",
            pairs=unknown.tolist(),
        )


def check_own(more: KnowledgeBase, strategies: Collection[str]) -> None:
    """Check that a plugin's knowledge is about that plugin's strategies.

    Parameters
    ----------
    more : KnowledgeBase
    strategies : collection of str
        The plugin's own names of them.

    Raises
    ------
    KnowledgeError
        If it has candidates of others: their figures are for their own plugins to state.
    """
    foreign = sorted(set(more.candidates["strategy"].astype(str)) - set(strategies))
    if foreign:
        raise KnowledgeError(
            f"It has candidates of the strategies {foreign[:5]}, and its plugin brings {sorted(strategies)}: a "
            "plugin ships evaluations of its own strategies only. Write it with `autometa kb export --plugin`.",
            strategies=foreign,
        )


def _check_scores(evaluations: pd.DataFrame) -> None:
    for name, metric in METRICS.items():
        low, high = sorted((metric.worst, metric.best))
        scores = evaluations[name].to_numpy(float)
        wrong = scores[(scores < low - _ROUNDING) | (scores > high + _ROUNDING)]
        if len(wrong):
            raise KnowledgeError(
                f"It has {len(wrong)} scores of {name} outside of [{low:g}, {high:g}], such as {wrong[0]:g}: they "
                "were not measured by autometa. Measure with `autometa kb extend --plugin`.",
                metric=name,
            )


def _check_protocol(base: KnowledgeBase, more: KnowledgeBase) -> None:
    """Refuse other splits, caps or seeds altogether: the figures would not be comparable."""
    here, there = (dict(each.manifest.provenance.get("protocol") or {}) for each in (base, more))
    different = [name for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
    if different:
        facts = "; ".join(f"{name}: {there.get(name)!r} there, {here.get(name)!r} here" for name in different)
        raise KnowledgeError(
            f"It was measured by another protocol ({facts}), so its figures are not comparable. Measure anew with "
            "`autometa kb extend --plugin`, which follows the knowledge base's protocol.",
            different=different,
        )


def _check_ids(candidates: pd.DataFrame) -> None:
    for stated, strategy, text in candidates.itertuples(index=False, name=None):
        try:
            found = _id(strategy, text)
        except ParameterError as error:
            raise KnowledgeError(f"Candidate {stated!r} has no usable configuration: {error}") from error
        if found != stated:
            raise KnowledgeError(
                f"Candidate {stated!r} is {found!r} by its strategy and configuration: the files were not written "
                "by autometa. Write them with `autometa kb export --plugin`.",
                candidate=stated,
            )


def _id(strategy: Any, configuration: Any) -> str:
    return Candidate(str(strategy), Configuration.from_json(str(configuration))).id


def renamed_tables(base: KnowledgeBase, names: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Return the tables with other names of strategies, and the candidate ids that follow from them.

    Parameters
    ----------
    base : KnowledgeBase
    names : mapping of old name to new name

    Returns
    -------
    dict of table name to DataFrame
    """
    candidates = _plain(base.candidates)
    strategies = candidates["strategy"].map(lambda name: names.get(name, name))
    ids = [_id(name, text) for name, text in zip(strategies, candidates["configuration"], strict=True)]
    new_id = dict(zip(candidates["candidate"], ids, strict=True))
    evaluations = base.evaluations.assign(candidate=base.evaluations["candidate"].astype(object).map(new_id))
    return {
        "tasks": base.tasks,
        "metafeatures": base.metafeatures,
        "candidates": candidates.assign(strategy=strategies, candidate=ids),
        "evaluations": evaluations,
    }


def supplement_tables(
    base: KnowledgeBase, more: KnowledgeBase, strategies: Collection[str]
) -> dict[str, pd.DataFrame]:
    """Return what `base` lacks of some strategies: the tables that their plugin ships.

    Parameters
    ----------
    base, more : KnowledgeBase
    strategies : collection of str

    Returns
    -------
    dict of table name to DataFrame
        All evaluations of the strategies' candidates and the facts of their tasks, but of the meta-features only
        those that `base` lacks: of further tasks and sizes, and of plugins.
    """
    candidates = more.candidates[more.candidates["strategy"].isin(list(strategies))].reset_index(drop=True)
    chosen = more.evaluations["candidate"].astype(str).isin(candidates["candidate"].astype(str))
    evaluations = more.evaluations[chosen].reset_index(drop=True)
    tasks = more.tasks[more.tasks["task"].isin(evaluations["task"].astype(str))].reset_index(drop=True)
    pair = IDENTITY["metafeatures"]
    described = _lacking(base.metafeatures, more.metafeatures)
    needed = _keys(described, pair).isin(_keys(evaluations[pair].drop_duplicates(), pair))
    return {
        "tasks": tasks,
        "metafeatures": described[needed].reset_index(drop=True),
        "candidates": candidates,
        "evaluations": evaluations,
    }


def _lacking(known: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `more` that are not known, and of the known ones the meta-features that are not."""
    pair = IDENTITY["metafeatures"]
    is_known = _keys(more, pair).isin(_keys(known, pair))
    brought = [name for name in more.columns if name not in known.columns]
    if not brought:
        return more[~is_known]
    repeated = [name for name in known.columns if name in more.columns and name not in (*pair, "n_train")]
    return more.assign(**{name: more[name].where(~is_known) for name in repeated})
