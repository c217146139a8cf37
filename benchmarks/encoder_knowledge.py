"""Make the shipped knowledge of pretrained encoders from what `text.py` and `images.py` measured.

    python benchmarks/encoder_knowledge.py [FOLDER]

Read are `results/text.csv` and `results/images.csv`; those two scripts say where the data come from and how rows
are held out. Kept are the figures of candidates that ran as their strategy offers them: neither fine-tuning for
fewer epochs, nor texts cut shorter, nor what a policy chose. Accuracy and log loss are known, seconds are of
processor time on one thread. Nothing is measured here.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from autometa.components.knowledge import KnowledgeBase, Manifest
from autometa.components.knowledge.base import ENCODERS_FOLDER
from autometa.components.knowledge.storage import COLUMNS
from autometa.components.metafeatures import SCHEMA_VERSION
from autometa.components.strategies.backbones import EFFICIENTNET, MINILM
from autometa.domain import METRICS, Candidate, Task
from autometa.plugins import get_registry

RESULTS = Path(__file__).parent / "results"
N_CLASSES = {"rotten_tomatoes": 2, "sms_spam": 2, "imdb": 2, "digits": 10, "omniglot_20": 20, "fashion_mnist": 10}
# What `text.py` calls the candidates, and which values tell them from others of their strategy.
TEXT_SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "tfidf_linear": ("linear", {}),
    "tfidf_svm": ("svm", {}),
    "tfidf_kernel": ("kernel", {"members": "local", "trees": False}),
    "frozen": ("neural_text", {"encoder": "frozen", "C": 0.01, "backbone": MINILM.name}),
    "frozen_weakly_penalised": ("neural_text", {"encoder": "frozen", "C": 0.1, "backbone": MINILM.name}),
    "fine_tuned": ("neural_text", {"encoder": "fine_tuned", "backbone": MINILM.name}),
}
FEW_ROWS = 320


def candidate_of(strategy: str, values: dict[str, Any]) -> Candidate:
    """The first candidate of a strategy with these values, of classification."""
    example = Task.from_arrays(pd.DataFrame({"x": range(60)}), [0, 1] * 30)
    offered = get_registry().strategy(strategy).candidates(example)
    return next(each for each in offered if values.items() <= each.configuration.items())


def texts() -> Iterator[tuple[dict[str, Any], Candidate]]:
    """The figures of texts, with their candidates."""
    candidates = {name: candidate_of(*found) for name, found in TEXT_SYSTEMS.items()}
    for row in pd.read_csv(RESULTS / "text.csv").to_dict("records"):
        candidate = candidates.get(row["system"])
        if candidate is None:
            continue
        is_cut = candidate.strategy == "neural_text" and row["dataset"] == "imdb"
        is_shortened = row["system"] == "fine_tuned" and row["n_train"] > FEW_ROWS
        if not is_cut and not is_shortened:
            yield {**row, "split": 0}, candidate


def images() -> Iterator[tuple[dict[str, Any], Candidate]]:
    """The figures of images, with their candidates."""
    strategies = [get_registry().strategy(name) for name in ("linear", "svm", "neural_image")]
    example = Task.from_arrays(pd.DataFrame({"x": range(60)}), [0, 1] * 30)
    offered = {each.id: each for strategy in strategies for each in strategy.candidates(example)}
    for row in pd.read_csv(RESULTS / "images.csv").to_dict("records"):
        candidate = offered[row["candidate"]]
        if candidate.configuration.get("backbone") in (None, EFFICIENTNET.name):
            seconds = {
                name: row[f"{name.split('_')[0]}_cpu_seconds"] for name in ("fit_seconds", "predict_seconds")
            }
            yield {**row, **seconds}, candidate


def knowledge() -> KnowledgeBase:
    """All figures as a knowledge base without meta-features."""
    found = [*texts(), *images()]
    candidates = {candidate.id: candidate for _, candidate in found}
    return KnowledgeBase(
        Manifest(
            autometa_version=version("autometa-ml"),
            metafeature_version=SCHEMA_VERSION,
            metafeature_names={"classification": [], "regression": []},
            provenance={
                "source": ["benchmarks/results/text.csv", "benchmarks/results/images.csv"],
                "made_by": "benchmarks/encoder_knowledge.py",
                "seconds": "of processor time, one thread",
            },
        ),
        tasks=tasks_of([row for row, _ in found]),
        metafeatures=pd.DataFrame(columns=list(COLUMNS["metafeatures"])),
        candidates=pd.DataFrame(
            [(key, each.strategy, each.configuration.to_json()) for key, each in candidates.items()],
            columns=list(COLUMNS["candidates"]),
        ),
        evaluations=pd.DataFrame([evaluation(row, candidate) for row, candidate in found]),
    )


def evaluation(row: dict[str, Any], candidate: Candidate) -> dict[str, Any]:
    """One row of the evaluations; metrics that were not noted are missing."""
    facts = {name: row[name] for name in ("split", "n_train", "n_test", "fit_seconds", "predict_seconds")}
    key = {"task": row["dataset"], "train_size": row["n_train"], "candidate": candidate.id, "status": "ok"}
    scores = {name: row.get(name, float("nan")) for name in METRICS}
    return {**facts, **key, "peak_memory": 0, **scores}


def tasks_of(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a dataset, which is a group of its own; its sizes are those that were used."""
    table = pd.DataFrame(rows).groupby("dataset")[["n_train", "n_test"]].max()
    facts = [
        (name, None, None, name, name, "binary" if n == 2 else "multiclass", sum(sizes), 1, n, sizes[0], "")
        for name, sizes in zip(table.index, table.to_numpy().tolist(), strict=True)
        for n in [N_CLASSES[name]]
    ]
    return pd.DataFrame(facts, columns=list(COLUMNS["tasks"]))


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=ENCODERS_FOLDER)
    folder = parser.parse_args().folder
    knowledge().save(folder)
    print(KnowledgeBase.load(folder).info())


if __name__ == "__main__":
    main()
