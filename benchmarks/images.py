"""What pixels, frozen encoders and a fine-tuned encoder come to on small tasks of images.

    python benchmarks/images.py --omniglot FILE --fashion-mnist FOLDER

The digits of scikit-learn are always there. FILE is Omniglot as an array ``images`` of packed bits, (1623
characters, 20 drawings, 28, 28); twenty characters are drawn at random, fifteen drawings of each are learned from
and five are asked. FOLDER holds the files of Fashion-MNIST (the Debian package ``dataset-fashion-mnist``). Of
digits and Fashion-MNIST 400 images are learned from and 600 are asked.

The methods are the first candidates of ``linear`` and ``svm``, which see pixels, and all of ``neural_image``.
Everything runs on one core; written is one row per task, split and method to ``benchmarks/results/images.csv``:
accuracy, log loss in nats and seconds of CPU time, of the fit and of predicting the images asked, each image
encoded anew. The limit of seconds of a fit is lifted. The rate of learning was chosen on one other split of the
digits.
"""

from __future__ import annotations

import argparse
import gzip
import platform
import time
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedShuffleSplit

from autometa.components.strategies import neural_image
from autometa.domain import Candidate, Split, Task
from autometa.plugins import get_registry

RESULTS = Path(__file__).parent / "results" / "images.csv"
N_TRAIN, N_TEST = 400, 600
N_CHARACTERS, N_DRAWINGS_LEARNED = 20, 15


def digits() -> Task:
    """1,797 digits of 8 x 8 pixels."""
    data = load_digits()
    return task("digits", list(data.images), data.target)


def omniglot(file: Path) -> Task:
    """Twenty characters of Omniglot, twenty drawings of each."""
    bits = np.unpackbits(np.load(file)["images"], axis=-1).reshape(1623, 20, 28, 28)
    chosen = np.random.default_rng(0).permutation(len(bits))[:N_CHARACTERS]
    images = bits[chosen].reshape(-1, 28, 28).astype(np.uint8) * 255
    return task("omniglot_20", list(images), np.repeat(np.arange(N_CHARACTERS), 20))


def fashion_mnist(folder: Path) -> Task:
    """The 10,000 test images of Fashion-MNIST."""
    with gzip.open(next(folder.rglob("t10k-images-idx3-ubyte.gz"))) as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(next(folder.rglob("t10k-labels-idx1-ubyte.gz"))) as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return task("fashion_mnist", list(images), labels)


def task(name: str, images: list[np.ndarray], labels: np.ndarray) -> Task:
    """Return a task with one column of images."""
    return Task.from_arrays(pd.DataFrame({"image": images}), labels.astype(str), name=name)


def splits(of: Task, n_splits: int) -> Iterator[Split]:
    """Yield stratified splits: fifteen drawings of each character, or 400 images."""
    is_omniglot = of.name.startswith("omniglot")
    n_train, n_test = (15 * N_CHARACTERS, 5 * N_CHARACTERS) if is_omniglot else (N_TRAIN, N_TEST)
    drawn = StratifiedShuffleSplit(n_splits, train_size=n_train, test_size=n_test, random_state=1)
    for index, (train, test) in enumerate(drawn.split(of.X, of.y)):
        yield Split(index, train, test)


def methods(of: Task) -> dict[str, Candidate]:
    """Return the candidates by the names of the table."""
    registry = get_registry()
    found = {f"pixels + {name}": registry.strategy(name).candidates(of)[0] for name in ("linear", "svm")}
    for candidate in registry.strategy("neural_image").candidates(of):
        values = candidate.configuration
        way = f"frozen + {values['head']}" if values["encoder"] == "frozen" else "fine-tuned"
        found[f"{values['backbone']} {way}"] = candidate
    return found


def measured(of: Task, split: Split, candidate: Candidate, device: str) -> dict[str, object]:
    """Fit a candidate on the training rows of a split and judge it on the others."""
    training = of.take(split.train)
    strategy = get_registry().strategy(candidate.strategy)
    started = time.process_time()
    model = strategy.build(candidate.configuration, training, device=device, random_state=0)
    model.fit(training.X, training.y)
    fitted = time.process_time()
    probabilities = model.predict_proba(of.X.iloc[split.test])
    predicted = time.process_time()
    y = of.y[split.test]
    learner = model[-1]
    return {
        "candidate": candidate.id,
        "n_train": len(split.train),
        "n_test": len(split.test),
        "accuracy": accuracy_score(y, model.classes_[probabilities.argmax(axis=1)]),
        "log_loss": log_loss(y, probabilities, labels=model.classes_),
        "fit_cpu_seconds": round(fitted - started, 2),
        "predict_cpu_seconds": round(predicted - fitted, 2),
        "best_epoch": getattr(learner, "best_epoch_", ""),
        "stopped_by": getattr(learner, "stopped_by_", ""),
    }


def main() -> None:
    """Measure, and write the table after every row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omniglot", type=Path)
    parser.add_argument("--fashion-mnist", type=Path)
    parser.add_argument("--splits", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    neural_image.MAX_SECONDS = 3_600.0  # what a fit comes to must not depend on who else uses the machine
    tasks = [digits()]
    tasks += [omniglot(arguments.omniglot)] if arguments.omniglot else []
    tasks += [fashion_mnist(arguments.fashion_mnist)] if arguments.fashion_mnist else []
    rows: list[dict[str, object]] = []
    places = [
        (of, split)
        for index in range(arguments.splits)
        for of in tasks
        for split in [[*splits(of, index + 1)][index]]
    ]
    for of, split in places:
        for name, candidate in methods(of).items():
            facts = {"dataset": of.name, "split": split.index, "method": name}
            found = measured(of, split, candidate, arguments.device)
            rows.append({**facts, **found, "device": arguments.device, **versions()})
            pd.DataFrame(rows).to_csv(arguments.output, index=False, float_format="%.4f")
            print(
                of.name,
                split.index,
                name,
                {key: found[key] for key in ("accuracy", "log_loss", "fit_cpu_seconds")},
            )


def versions() -> dict[str, str]:
    """Return what the figures depend on."""
    return {
        "torch": torch.__version__,
        "scikit-learn": version("scikit-learn"),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
