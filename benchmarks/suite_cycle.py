"""Take a benchmark through its whole life against a local server, and count what came out.

``python -m benchmarks.suite_cycle --folder FOLDER --output benchmarks/results/suite_cycle.json``, in the
repository's root. FOLDER holds ``index.csv`` and ``parquet/``; its tasks of OpenML-CC18 are served by the tests'
OpenML-compatible server, on rows cut to ``--max-rows`` (stratified), under splits that this server declares as the
tasks' own: ``--folds`` folds, or a holdout of a third for one fold. They are not openml.org's splits.

1. `autometa bench run` as a process, killed with SIGKILL at random points and started again each time;
2. the same run, uninterrupted, into another workspace: rows and predictions are compared one by one;
3. `bench publish` as a dry run, for real, and once more, which must send nothing;
4. the ``openml`` client reads every run back: the server's figures, which it computes from the predictions, and
   the predictions themselves are compared with ours;
5. `bench compare` of both workspaces. Nothing was published from the second one, so that to it the runs on the
   server are somebody else's; each of its own runs must stand beside an equal one.

``--dry-run`` only says what one of the two runs would take. Seconds of cores are those of all processes, looked at
twice a second. It leaves with 1 if something is not as it must be; the file says what.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from autometa.domain import nested_subsample
from autometa.engine.benchmark.openml_measures import pooled_values
from autometa.engine.benchmark.publication import run_predictions
from autometa.engine.benchmark.store import JOURNAL_FILE
from autometa.engine.benchmark.table import KEY, predictions_path, read_predictions, read_results
from tests.openml_server import Folder, OpenMLServer

SUITE, SUITE_IN_INDEX = "OpenML-CC18", "CC18"
SYSTEMS = (
    "autometa",
    "best:linear",
    "best:svm",
    "best:kernel",
    "best:extra_trees",
    "best:lightgbm",
    "default:linear",
    "default:svm",
)
KEY_OF_API = "a key"
ASIDE = ["fit_seconds", "predict_seconds", "peak_memory", "started_at"]
# Measure of bench compare -> what the server calls it.
READ_BACK = {"accuracy": "predictive_accuracy", "roc_auc": "area_under_roc_curve"}
# The server states six digits.
TOLERANCE = 6e-7
LOOK_SECONDS = 0.5


@dataclass
class CoreSeconds:
    """Processor time of this process and of all that were below it."""

    _seen: dict[tuple[int, float], float] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> CoreSeconds:
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for process in psutil.Process().children(recursive=True):
                try:
                    times = process.cpu_times()
                    self._seen[process.pid, process.create_time()] = times.user + times.system
                except psutil.NoSuchProcess:
                    continue

    def total(self) -> float:
        """Seconds so far."""
        return time.process_time() + sum(self._seen.copy().values())


@dataclass
class Cycle:
    """One server, two workspaces, and what has been found."""

    server: OpenMLServer
    scratch: Path
    options: argparse.Namespace
    cores: CoreSeconds
    found: dict[str, Any] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Variables that let autometa and the ``openml`` client know this server and its key only."""
        return {
            "AUTOMETA_OPENML_SERVER": self.server.url,
            "AUTOMETA_CACHE_DIRECTORY": str(self.scratch / "cache"),
            "OPENML_CACHE_DIR": str(self.scratch / "openml"),
            "XDG_CONFIG_HOME": str(self.scratch / "config"),
            "OPENML_API_KEY": KEY_OF_API,
        }

    @property
    def killed(self) -> Path:
        """Workspace of the run that is killed, and published."""
        return self.scratch / "killed"

    @property
    def whole(self) -> Path:
        """Workspace of the run that is left alone."""
        return self.scratch / "whole"

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note the wall time and the seconds of cores of a part."""
        print(f"{name} ...", file=sys.stderr, flush=True)
        started, cores = time.perf_counter(), self.cores.total()
        yield
        for what, value in (("wall", time.perf_counter() - started), ("core", self.cores.total() - cores)):
            self.found.setdefault(f"{what}_seconds", {})[name] = round(value, 1)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start a command of autometa in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "autometa", "bench", *map(str, arguments)],
            env={**os.environ, **self.environment()},
            stdout=subprocess.PIPE,
            stderr=(self.scratch / "log").open("a"),
            text=True,
        )

    def command(self, *arguments: object) -> Any:
        """Run a command to its end; return what it said as JSON."""
        process = self.start(*arguments, "--json")
        said, _ = process.communicate()
        if process.returncode:
            log = (self.scratch / "log").read_text()[-3000:]
            raise SystemExit(f"autometa bench {arguments[0]} left with {process.returncode}:\n{log}")
        return json.loads(said)

    def run_arguments(self, workspace: Path) -> list[object]:
        """The command of both runs."""
        systems = [word for system in self.options.system for word in ("--system", system)]
        limits = ["--seconds-per-cell", self.options.seconds_per_cell, "--n-jobs", self.options.n_jobs]
        return ["run", SUITE, "--workspace", workspace, *systems, *limits]


def write_served_folder(options: argparse.Namespace, into: Path) -> pd.DataFrame:
    """Write the suite's tasks of a folder, their rows cut; return their entries in its index, small ones first."""
    index = pd.read_csv(options.folder / "index.csv", dtype=str, keep_default_na=False)
    kept = index[[SUITE_IN_INDEX in suites.split(";") for suites in index["suites"]]].copy()
    if options.task:
        kept = kept[kept["task_id"].replace("", np.nan).astype(float).isin(options.task)]
    rows = kept["n_rows"].astype(int).clip(upper=options.max_rows)
    kept = kept.loc[(rows * kept["n_features"].astype(int)).sort_values(kind="stable").index]
    kept = kept.head(options.limit_tasks)
    (into / "parquet").mkdir(parents=True)
    for entry in kept.itertuples():
        frame = pd.read_parquet(options.folder / "parquet" / entry.file)
        labels = frame[entry.target].astype(str).to_numpy()
        chosen = nested_subsample(labels, np.arange(len(frame)), options.max_rows)
        frame.iloc[chosen].reset_index(drop=True).to_parquet(into / "parquet" / entry.file)
    kept.to_csv(into / "index.csv", index=False)
    return kept


def results_so_far(workspace: Path) -> int:
    """How many results the journal of a workspace holds."""
    journal = workspace / JOURNAL_FILE
    return journal.read_bytes().count(b'"kind":"result"') if journal.exists() else 0


def run_and_kill(cycle: Cycle, n_cells: int) -> None:
    """Run, kill at random points, run on to the end."""
    rng = np.random.default_rng(cycle.options.seed)
    points = np.sort(rng.integers(1, max(2, n_cells - 1), size=cycle.options.kills))
    stored: list[int] = []
    for point in points:
        process = cycle.start(*cycle.run_arguments(cycle.killed), "--json")
        while results_so_far(cycle.killed) < point and process.poll() is None:
            time.sleep(0.1)
        time.sleep(rng.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if process.returncode == -signal.SIGKILL:
            stored.append(results_so_far(cycle.killed))
    cycle.command(*cycle.run_arguments(cycle.killed))
    cycle.found |= {"kills": len(stored), "rows_stored_at_kills": stored}


def compare_runs(cycle: Cycle, n_cells: int) -> None:
    """Compare the two workspaces row by row, and the predictions of each row."""
    killed, whole = (
        read_results([path]).set_index(list(KEY)).sort_index() for path in (cycle.killed, cycle.whole)
    )
    one, other = (table.drop(columns=ASIDE) for table in (killed, whole.reindex(killed.index)))
    is_equal = ((one == other) | (one.isna() & other.isna())).all(axis=1)
    with_predictions = whole.index[whole["status"] == "ok"]
    equal_predictions = sum(
        predictions_path(cycle.killed, key).exists()
        and read_predictions(cycle.killed, key).equals(read_predictions(cycle.whole, key))
        for key in with_predictions
    )
    cycle.found |= {
        "cells": n_cells,
        "rows": len(killed),
        "rows_uninterrupted": len(whole),
        "rows_equal": int(is_equal.sum()),
        "rows_twice": int(killed.index.duplicated().sum()),
        "predictions": len(with_predictions),
        "predictions_equal": int(equal_predictions),
        "statuses": {str(name): int(count) for name, count in whole["status"].value_counts().items()},
        "reasons": {str(why)[:300]: int(count) for why, count in whole["message"].value_counts().items()},
        "different": [str(key) for key in killed.index[~is_equal.to_numpy()][:20]],
    }


def posts(server: OpenMLServer) -> dict[str, int]:
    """What was sent to the server so far."""
    return {"flows": server.posts("flow"), "runs": server.posts("run")}


def publish(cycle: Cycle) -> list[dict[str, Any]]:
    """Publish: a dry run, for real, and again; return the states of the runs."""
    arguments = ["publish", cycle.killed, "--server", cycle.server.url]
    dry = cycle.command(*arguments)
    sent_by_dry_run = posts(cycle.server)
    states = cycle.command(*arguments, "--yes")["runs"]
    sent = posts(cycle.server)
    again = cycle.command(*arguments, "--yes")["runs"]
    cycle.found |= {
        "to_publish": len(dry["runs"]),
        "left_out_of_publishing": len(dry["left_out"]),
        "left_out_because": sorted({each["reason"].partition(",")[0] for each in dry["left_out"]}),
        "uploads_of_the_dry_run": sum(sent_by_dry_run.values()),
        "uploads": sent,
        "uploads_at_second_publish": sum(posts(cycle.server).values()) - sum(sent.values()),
        "was_up_at_second_publish": sum(run["state"] == "was up" for run in again),
        "runs_on_the_server": len(cycle.server.published.runs),
    }
    return list(states)


def read_back(cycle: Cycle, states: list[dict[str, Any]]) -> None:
    """Read every run by the openml client; compare figures and predictions with ours."""
    os.environ.update(cycle.environment())  # read when it is imported
    import openml

    logging.getLogger().setLevel(logging.ERROR)  # it warns of every answer that is not compressed
    openml.config.server, openml.config.apikey = cycle.server.url, KEY_OF_API
    openml.config.set_root_cache_directory(str(cycle.scratch / "openml"))
    results = read_results([cycle.killed])
    figures, confidences, n_predictions = [0.0], [0.0], 0
    for state in states:
        rows = results[(results["task_id"] == state["task_id"]) & (results["system"] == state["system"])]
        own, task = run_predictions(rows, cycle.killed), cycle.server.folder.tasks[state["task_id"]]
        classes = [str(label) for label in task.frame()[task.target].cat.categories]
        values = pooled_values(own, str(rows["task_type"].iloc[0]), classes)
        run = openml.runs.get_run(state["run_id"], ignore_cache=True)
        figures += [abs(run.evaluations[theirs] - values[ours]) for ours, theirs in READ_BACK.items()]
        mean = np.average(rows["accuracy"], weights=rows["n_test"])
        figures.append(abs(run.evaluations["predictive_accuracy"] - mean))
        confidences.append(largest_difference(run.predictions, own, classes))
        n_predictions += len(own)
    cycle.found |= {
        "runs_read_back": len(states),
        "evaluations_read_back": len(figures) - 1,
        "max_difference": float(np.max(figures)),
        "predictions_read_back": n_predictions,
        "max_difference_of_predictions": float(np.max(confidences)),
    }


def largest_difference(published: pd.DataFrame, own: pd.DataFrame, classes: list[str]) -> float:
    """Largest difference of two runs' confidences; infinite if a label or a row differs."""
    place = ["repeat", "fold", "row_id"]
    one, other = (
        frame.astype(dict.fromkeys(place, "int64")).sort_values(place).reset_index(drop=True)
        for frame in (published, own)
    )
    labels = [("prediction", "prediction"), ("correct", "truth"), *zip(place, place, strict=True)]
    if len(one) != len(other) or not all((one[a].astype(str) == other[b].astype(str)).all() for a, b in labels):
        return float("inf")
    names = [f"confidence.{label}" for label in classes]
    ours = other.reindex(columns=names).fillna(0.0).to_numpy()
    return float(np.abs(one[names].astype(float).to_numpy() - ours).max())


def compare_with_published(cycle: Cycle, states: list[dict[str, Any]]) -> None:
    """Put both workspaces beside what is on the server."""
    flows = {(state["task_id"], state["system"]): state["flow_id"] for state in states}
    counts, differences = {}, [0.0]
    for workspace in (cycle.killed, cycle.whole):
        file = cycle.scratch / f"{workspace.name}.csv"
        measures = [word for name in READ_BACK for word in ("--measure", name)]
        said = cycle.command("compare", workspace, "--server", cycle.server.url, *measures, "--output", file)
        rows = pd.read_csv(file)
        ours = rows[rows["origin"] == "ours"]
        beside = rows[rows["origin"] != "ours"].set_index(["task_id", "measure", "flow_id"])["value"]
        keys = [(row.task_id, row.measure, flows[row.task_id, row.system]) for row in ours.itertuples()]
        differences += list(np.abs(ours["value"].to_numpy() - beside.loc[keys].to_numpy()))
        origins = rows["origin"].value_counts()
        counts[workspace.name] = {str(name): int(origins[name]) for name in sorted(origins.index)}
        counts[workspace.name]["standings"] = len(said["standings"])
    cycle.found |= {"compared": counts, "max_difference_of_comparison": float(np.max(differences))}


def problems(found: dict[str, Any], kills: int) -> list[str]:
    """Say what is not as it must be."""
    cells, runs = found["cells"], found["to_publish"]
    figures = {origin: runs * len(READ_BACK) for origin in ("ours", "published")}
    compared = found["compared"]
    demands = {
        "it was killed as often as wanted": found["kills"] == kills,
        "each cell is one row": found["rows"] == found["rows_uninterrupted"] == cells and not found["rows_twice"],
        "cells end well or at a limit": set(found["statuses"]) <= {"ok", "timeout", "memory"},
        "some end well": found["statuses"].get("ok", 0) > 0,
        "what is published is read back": found["runs_read_back"] == runs > 0,
        "rows are equal": found["rows_equal"] == cells,
        "predictions are equal": found["predictions_equal"] == found["predictions"],
        "what ended well is published": runs + found["left_out_of_publishing"] == found["runs_wanted"],
        "a dry run sends nothing": found["uploads_of_the_dry_run"] == 0,
        "each run is sent once": found["uploads"]["runs"] == runs == found["runs_on_the_server"],
        "a second time sends nothing": found["uploads_at_second_publish"] == 0,
        "all was up the second time": found["was_up_at_second_publish"] == runs,
        "the figures are ours": found["max_difference"] <= TOLERANCE,
        "the predictions are ours": found["max_difference_of_predictions"] <= TOLERANCE,
        "all stand beside each other": all(compared["whole"].get(name) == n for name, n in figures.items())
        and compared["killed"].get("published from here") == figures["ours"],
        "and are equal": found["max_difference_of_comparison"] <= TOLERANCE,
    }
    return [what for what, is_so in demands.items() if not is_so]


def whole_cycle(cycle: Cycle, tasks: pd.DataFrame) -> dict[str, Any]:
    """Do everything; return what was found."""
    options = cycle.options
    n_cells = len(tasks) * options.folds * len(options.system)
    with cycle.phase("run, killed and resumed"):
        run_and_kill(cycle, n_cells)
    with cycle.phase("run, uninterrupted"):
        cycle.command(*cycle.run_arguments(cycle.whole))
    compare_runs(cycle, n_cells)
    with cycle.phase("publish three times"):
        states = publish(cycle)
    with cycle.phase("read back"):
        read_back(cycle, states)
    with cycle.phase("compare twice"):
        compare_with_published(cycle, states)
    n_rows = tasks["n_rows"].astype(int)
    return {
        "tasks": len(tasks),
        "systems": options.system,
        "folds": options.folds,
        "splits": "declared by the local server, not openml.org's",
        "max_rows": options.max_rows,
        "tasks_cut_to_max_rows": int((n_rows > options.max_rows).sum()),
        "seconds_per_cell": options.seconds_per_cell,
        "n_jobs": options.n_jobs,
        "seed_of_the_kills": options.seed,
        "runs_wanted": len(tasks) * len(options.system),
        **cycle.found,
        "wall_seconds_in_all": round(sum(cycle.found["wall_seconds"].values()), 1),
        "core_seconds_in_all": round(sum(cycle.found["core_seconds"].values()), 1),
        "machine": {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 2)},
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--task", type=int, action="append", help="only these task ids")
    parser.add_argument("--limit-tasks", type=int, help="only so many, the smallest first")
    parser.add_argument("--max-rows", type=int, default=1000)
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--system", action="append", help=f"default: {' '.join(SYSTEMS)}")
    parser.add_argument("--seconds-per-cell", type=float, default=60.0)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    options.system = options.system or list(SYSTEMS)
    return options


def main() -> None:
    """Take the cycle, print what was found, and write it."""
    options = arguments()
    with tempfile.TemporaryDirectory() as name, CoreSeconds() as cores:
        scratch = Path(name)
        tasks = write_served_folder(options, scratch / "served")
        with OpenMLServer(Folder(scratch / "served", options.folds)) as server:
            cycle = Cycle(server, scratch, options, cores)
            if options.dry_run:
                print(json.dumps(cycle.command(*cycle.run_arguments(cycle.whole), "--dry-run"), indent=1))
                return
            found = whole_cycle(cycle, tasks)
    found["not_as_it_must_be"] = problems(found, options.kills)
    print(json.dumps(found, indent=1))
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n")
    sys.exit(1 if found["not_as_it_must_be"] else 0)


if __name__ == "__main__":
    main()
