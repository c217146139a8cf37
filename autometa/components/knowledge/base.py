"""KnowledgeBase: meta-features of tasks and evaluations of candidates on them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from autometa.components.knowledge.align import align
from autometa.components.knowledge.known_task import KnownTask
from autometa.components.knowledge.manifest import Manifest, read_manifest
from autometa.components.knowledge.merging import (
    check_own,
    check_same_data,
    check_supplement,
    merged_manifest,
    merged_tables,
    renamed_tables,
    supplement_tables,
    supplemented_tables,
)
from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.components.knowledge.storage import TABLES, load_tables, save_tables
from autometa.domain import Task
from autometa.foundation.errors import KnowledgeError, PluginWarning
from autometa.foundation.settings import get_settings
from autometa.plugins import PluginKnowledge, get_registry
from autometa.plugins.guarding import said
from autometa.plugins.loading import SEPARATOR

__all__ = ["KnowledgeBase", "WithPlugins", "shipped_with_plugins", "with_plugins"]

SHIPPED_FOLDER = Path(__file__).parent / "data"
ENCODERS_FOLDER = Path(__file__).parent / "encoders"


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
    def shipped(cls, *, plugins: bool = True) -> KnowledgeBase:
        """Return the default: the one inside the package or that of the setting ``knowledge``, and the plugins'.

        Parameters
        ----------
        plugins : bool
            Whether what installed plugins ship is added.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If it cannot be read. A plugin's that cannot be read is left out with a `PluginWarning`.
        """
        return shipped_with_plugins().base if plugins else cls.open(get_settings().knowledge or SHIPPED_FOLDER)

    @classmethod
    def of_encoders(cls) -> KnowledgeBase:
        """Return what is known of pretrained encoders: few tasks of texts or images, beside `shipped`.

        Returns
        -------
        KnowledgeBase
        """
        return cls.open(ENCODERS_FOLDER)

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
        save_tables(Path(folder), self.manifest, self._tables())

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
        manifest = merged_manifest(bases)
        check_same_data(bases)
        return cls(manifest, **merged_tables([base._tables() for base in bases]))

    def with_supplement(self, more: KnowledgeBase) -> KnowledgeBase:
        """Add what another one knows about the tasks of this one, or about described tasks of its own.

        Parameters
        ----------
        more : KnowledgeBase
            Its rows never replace one that is here.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        KnowledgeError
            If it is about other data, other splits, or tasks that nobody describes, or has impossible scores.
        """
        check_supplement(self, more)
        manifest = merged_manifest((self, more))
        return KnowledgeBase(manifest, **supplemented_tables(self, more))

    def supplement_to(self, base: KnowledgeBase, strategies: Iterable[str]) -> KnowledgeBase:
        """Keep what a plugin with some strategies ships so that `base` knows them.

        Parameters
        ----------
        base : KnowledgeBase
            The one that users have; what it describes is not repeated.
        strategies : iterable of str

        Returns
        -------
        KnowledgeBase
            For `with_supplement`.

        Raises
        ------
        KnowledgeError
            If there is no evaluation of them, or they are about other data or splits than `base` has.
        """
        names = sorted(set(strategies))
        kept = KnowledgeBase(self.manifest, **supplement_tables(base, self, names))
        if kept.evaluations.empty:
            raise KnowledgeError(
                f"There is no evaluation of {names}; measured are {sorted(self.candidates['strategy'].unique())}.",
                strategies=names,
            )
        check_supplement(base, kept)
        return kept

    def renamed(self, names: Mapping[str, str]) -> KnowledgeBase:
        """Return it with other names of strategies.

        Parameters
        ----------
        names : mapping of old name to new name

        Returns
        -------
        KnowledgeBase
        """
        return KnowledgeBase(self.manifest, **renamed_tables(self, names)) if names else self

    def _tables(self) -> dict[str, pd.DataFrame]:
        return {name: getattr(self, name) for name in TABLES}

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

    def evidence(self) -> dict[str, int]:
        """Count the evaluations of each strategy.

        Returns
        -------
        dict of str to int
        """
        counts = self.evaluations["candidate"].value_counts()
        rows = self.candidates["candidate"].map(counts).fillna(0).astype(int)
        return {str(name): int(count) for name, count in rows.groupby(self.candidates["strategy"]).sum().items()}

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
        self,
        classification: bool,
        metric: str,
        strategies: Iterable[str] | None = None,
        metafeatures: Iterable[str] = (),
    ) -> MetaDataset:
        """Align the evaluations of one kind of task to arrays.

        Parameters
        ----------
        classification : bool
        metric : str
        strategies : iterable of str, optional
            Whose candidates; default: all.
        metafeatures : iterable of str
            Those of plugins (``<plugin>:<name>``) to use beside the built-in ones, where they are known.

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
        brought = frozenset(name for name in metafeatures if SEPARATOR in name)
        key = (classification, metric, chosen, brought)
        if key not in self._aligned:
            self._aligned[key] = align(
                self, classification=classification, metric=metric, strategies=chosen, brought=brought
            )
        return self._aligned[key]


@lru_cache(maxsize=4)
def _loaded(folder: Path, manifest: str) -> KnowledgeBase:
    """Read a folder once for each content of its manifest."""
    return KnowledgeBase.load(folder)


def shipped_with_plugins() -> WithPlugins:
    """Return the default knowledge base, and which plugin's part of it could not be used.

    Returns
    -------
    WithPlugins
    """
    return with_plugins(KnowledgeBase.shipped(plugins=False), get_registry().supplements)


@dataclass(frozen=True, eq=False)
class WithPlugins:
    """A knowledge base with what plugins add to it.

    Attributes
    ----------
    base : KnowledgeBase
    errors : mapping of str to str
        Why a plugin's knowledge was left out, by the plugin's name.
    """

    base: KnowledgeBase
    errors: Mapping[str, str]


@lru_cache(maxsize=4)
def with_plugins(base: KnowledgeBase, supplements: tuple[PluginKnowledge, ...]) -> WithPlugins:
    """Add what plugins ship, leaving out what cannot be used.

    Parameters
    ----------
    base : KnowledgeBase
    supplements : tuple of PluginKnowledge

    Returns
    -------
    WithPlugins
    """
    errors: dict[str, str] = {}
    for each in supplements:
        try:
            base = base.with_supplement(_brought(each))
        except Exception as error:  # a third party's files: whatever is wrong with them is that plugin's error
            reason = str(error) if isinstance(error, KnowledgeError) else said(error)
            errors[each.plugin] = f"The knowledge in {each.folder.name!r} was left out: {reason}"
            warnings.warn(f"Plugin {each.plugin!r}: {errors[each.plugin]}", PluginWarning, stacklevel=4)
    return WithPlugins(base, errors)


def _brought(knowledge: PluginKnowledge) -> KnowledgeBase:
    found = KnowledgeBase.load(knowledge.folder)
    check_own(found, knowledge.strategies)  # by the plugin's own names, which its files have
    return found.renamed(dict(knowledge.names))


def _known(row: Any) -> KnownTask:
    dataset_id = None if pd.isna(row["dataset_id"]) else int(row["dataset_id"])
    return KnownTask(str(row["task"]), str(row["name"]), str(row["group"]), dataset_id)
