"""KnowledgeBase: meta-features of tasks and evaluations of candidates on them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from autometa.components.knowledge.align import align
from autometa.components.knowledge.manifest import Manifest, read_manifest
from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.components.knowledge.storage import TABLES, load_tables, save_tables
from autometa.domain import Task
from autometa.foundation.errors import KnowledgeError, KnowledgeSchemaError, PluginWarning
from autometa.foundation.settings import get_settings
from autometa.plugins import get_registry

__all__ = ["KnowledgeBase", "KnownTask"]

SHIPPED_FOLDER = Path(__file__).parent / "data"
_IDENTITY = {
    "tasks": ["task"],
    "metafeatures": ["task", "train_size"],
    "candidates": ["candidate"],
    "evaluations": ["task", "split", "train_size", "candidate"],
}


@dataclass(frozen=True, slots=True)
class KnownTask:
    """A task of the knowledge base.

    Attributes
    ----------
    task : str
        Its key.
    name, group : str
    dataset_id : int or None
        OpenML id.
    """

    task: str
    name: str
    group: str
    dataset_id: int | None


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """What is known of past tasks.

    Attributes
    ----------
    manifest : Manifest
    tasks : DataFrame
        One row a task: task (key), dataset_id, task_id, name, group, type, n_samples, n_features, n_classes,
        n_train (training rows of a split at full size), fingerprint.
    metafeatures : DataFrame
        One row a (task, train_size): n_train and one float64 column a meta-feature, computed on the training rows.
    candidates : DataFrame
        candidate (id), strategy, configuration (JSON).
    evaluations : DataFrame
        One row a (task, split, train_size, candidate): status, one float32 column a metric (natural values),
        n_train, n_test, fit_seconds, predict_seconds, peak_memory (bytes).
    """

    manifest: Manifest
    tasks: pd.DataFrame = field(repr=False)
    metafeatures: pd.DataFrame = field(repr=False)
    candidates: pd.DataFrame = field(repr=False)
    evaluations: pd.DataFrame = field(repr=False)
    _aligned: dict[Any, MetaDataset] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> KnowledgeBase:
        """Read a knowledge base from a folder and check its hashes.

        Parameters
        ----------
        folder : path

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If the folder holds none; KnowledgeSchemaError if it is of another version, KnowledgeIntegrityError if
            a file is damaged.
        """
        manifest, tables = load_tables(Path(folder))
        return cls(manifest, **tables)

    @classmethod
    def open(cls, folder: str | os.PathLike[str] | None = None) -> KnowledgeBase:
        """Return the knowledge base of a folder, or `shipped`; read once per process and content.

        Parameters
        ----------
        folder : path, optional

        Returns
        -------
        KnowledgeBase
        """
        if folder is None:
            return cls.shipped()
        path = Path(folder).resolve()
        return _loaded(path, read_manifest(path).model_dump_json())

    @classmethod
    def shipped(cls) -> KnowledgeBase:
        """Return the default: the one inside the package or that of the setting ``knowledge``, and the plugins'.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If it cannot be read. A plugin's that cannot be read is left out with a `PluginWarning`.
        """
        return _with_plugins(cls.open(get_settings().knowledge or SHIPPED_FOLDER), get_registry().knowledge)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write it to a folder, in the place of the knowledge base that may be there.

        Parameters
        ----------
        folder : path

        Raises
        ------
        StoreError
            If it cannot be written, or the folder holds something else.
        """
        save_tables(Path(folder), self.manifest, {name: getattr(self, name) for name in TABLES})

    @classmethod
    def merge(cls, *bases: KnowledgeBase) -> KnowledgeBase:
        """Put several together; where two hold the same cell, the later one counts.

        Parameters
        ----------
        *bases : KnowledgeBase
            At least one.

        Returns
        -------
        KnowledgeBase
            With the first one's manifest and the provenance of all.

        Raises
        ------
        KnowledgeSchemaError
            If their meta-features are of different versions.
        KnowledgeError
            If the same key stands for different data, or for the same data with other splits.
        """
        if len(bases) == 1:
            return bases[0]
        first = bases[0].manifest
        versions = {base.manifest.metafeature_version for base in bases}
        if len(versions) != 1:
            raise KnowledgeSchemaError(
                f"Knowledge bases with meta-features of versions {sorted(versions)} cannot be merged; build them "
                "with one version of autometa.",
                versions=sorted(versions),
            )
        _check_same_data(bases)
        story = _merged_provenance([base.manifest.provenance for base in bases])
        manifest = first.model_copy(update={"provenance": story, "files": {}})
        tables = {name: _stacked([getattr(base, name) for base in bases], _IDENTITY[name]) for name in TABLES}
        return cls(manifest, **tables)

    def info(self) -> dict[str, Any]:
        """Return what it holds, as plain values.

        Returns
        -------
        dict
            Counts of tasks by kind, candidates by strategy, evaluations by status, training sizes and splits;
            version, date and provenance.
        """
        regression = self.tasks["type"] == "regression"
        return {
            "schema_version": self.manifest.schema_version,
            "created": self.manifest.created,
            "autometa_version": self.manifest.autometa_version,
            "n_classification_tasks": int((~regression).sum()),
            "n_regression_tasks": int(regression.sum()),
            "n_groups": int(self.tasks["group"].nunique()),
            "candidates": self.candidates["strategy"].value_counts().sort_index().to_dict(),
            "evaluations": self.evaluations["status"].astype(str).value_counts().sort_index().to_dict(),
            "train_sizes": sorted(self.evaluations["train_size"].unique().tolist()),
            "n_splits": int(self.evaluations["split"].nunique()),
            "provenance": self.manifest.provenance,
        }

    def description(self, *, classification: bool) -> str:
        """Say in words what of it is used for one kind of task.

        Parameters
        ----------
        classification : bool

        Returns
        -------
        str
        """
        chosen = self.tasks[(self.tasks["type"] != "regression") == classification]
        n_evaluations = int(self.evaluations["task"].isin(chosen["task"]).sum())
        kind = "classification" if classification else "regression"
        return (
            f"{n_evaluations:,} evaluations on {len(chosen)} {kind} tasks in {chosen['group'].nunique()} groups "
            f"(knowledge base of {self.manifest.created[:10]})"
        )

    def find(self, task: Task) -> KnownTask | None:
        """Say whether the knowledge base holds this very table, whatever it is called.

        The content is only hashed (a second per 50 million cells) if a known task has the same shape.

        Parameters
        ----------
        task : Task

        Returns
        -------
        KnownTask or None
        """
        tasks = self.tasks
        alike = tasks[(tasks["n_samples"] == task.n_samples) & (tasks["n_features"] == task.n_features)]
        if alike.empty:
            return None
        same = alike[alike["fingerprint"] == task.fingerprint()]
        return None if same.empty else _known(same.iloc[0])

    def measured_strategies(self, *, classification: bool) -> tuple[str, ...]:
        """Name the strategies that have evaluations on one kind of task.

        Parameters
        ----------
        classification : bool

        Returns
        -------
        tuple of str
            Sorted.
        """
        chosen = self.tasks.loc[(self.tasks["type"] != "regression") == classification, "task"]
        seen = self.evaluations.loc[self.evaluations["task"].isin(chosen), "candidate"].unique()
        strategies = self.candidates.loc[self.candidates["candidate"].isin(seen), "strategy"]
        return tuple(sorted(strategies.astype(str).unique()))

    def meta_dataset(
        self, classification: bool, metric: str, strategies: Iterable[str] | None = None
    ) -> MetaDataset:
        """Align the evaluations of one kind of task to arrays.

        Parameters
        ----------
        classification : bool
        metric : str
        strategies : iterable of str, optional
            Whose candidates; default: all.

        Returns
        -------
        MetaDataset
            Rows in order of task, then training size (full first); candidates in the order of `candidates`.

        Raises
        ------
        ParameterError
            If the kind of task has no such metric.
        KnowledgeError
            If nothing is known of such tasks.
        """
        chosen = None if strategies is None else tuple(sorted(set(strategies)))
        key = (classification, metric, chosen)
        if key not in self._aligned:
            self._aligned[key] = align(self, classification=classification, metric=metric, strategies=chosen)
        return self._aligned[key]


@lru_cache(maxsize=4)
def _loaded(folder: Path, manifest: str) -> KnowledgeBase:
    """Read a folder once for each content of its manifest."""
    return KnowledgeBase.load(folder)


@lru_cache(maxsize=4)
def _with_plugins(base: KnowledgeBase, folders: tuple[Path, ...]) -> KnowledgeBase:
    """Merge the plugins' knowledge bases in, leaving out those that cannot be used."""
    for folder in folders:
        try:
            base = KnowledgeBase.merge(base, KnowledgeBase.load(folder))
        except KnowledgeError as error:
            warnings.warn(
                f"The knowledge base {folder} of a plugin was left out: {error}", PluginWarning, stacklevel=4
            )
    return base


def _known(row: Any) -> KnownTask:
    dataset_id = None if pd.isna(row["dataset_id"]) else int(row["dataset_id"])
    return KnownTask(str(row["task"]), str(row["name"]), str(row["group"]), dataset_id)


def _check_same_data(bases: tuple[KnowledgeBase, ...]) -> None:
    """Refuse a key that stands for two things: other data, or the same data split by other rules."""
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


def _stacked(tables: list[pd.DataFrame], identity: list[str]) -> pd.DataFrame:
    plain = [table.astype(dict.fromkeys(table.select_dtypes("category").columns, object)) for table in tables]
    filled = [table for table in plain if len(table)] or plain[:1]
    return pd.concat(filled, ignore_index=True).drop_duplicates(identity, keep="last").reset_index(drop=True)
