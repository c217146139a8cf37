"""Compare what a time budget buys with what FLAML and AutoGluon do in a minute, on OpenML-CC18.

Usage::

    export AUTOMETA_AUTOGLUON_PYTHON=ENVIRONMENT/bin/python     # an environment that has autogluon.tabular
    python benchmarks/budgets.py choose FOLDER [--max-datasets 16 | --datasets NAME ...]
    python benchmarks/budgets.py run FOLDER --workspace WORKSPACE [--max-datasets 16 | --datasets NAME ...]
    python benchmarks/budgets.py export FOLDER --workspace WORKSPACE --runs benchmarks/results/budgets_runs.csv
    python benchmarks/budgets.py report --runs benchmarks/results/budgets_runs.csv \\
        --output benchmarks/results/budgets.csv \\
        --by-dataset benchmarks/results/budgets_datasets.csv [--candidates candidates.csv]

FOLDER holds ``index.csv`` and ``parquet/`` (see the file formats in the documentation). Of the datasets of
OpenML-CC18 that lie there all are taken, or the named ones, or ``--max-datasets N`` of them: sorted by cells
(rows, 10,000 at most, times features), the N at equal steps of that order from the smallest to the largest.
`choose` lists them and runs nothing.

Each is cut to 10,000 rows (stratified) and split 70/30 once (``--n-splits``), stratified: the splits of
``cc18.py``. Systems: one recommended fit (``autometa``), autometa with 10 and with 60 s, FLAML and AutoGluon (its
default preset, medium_quality) with 60 s, all told to optimise log-loss. What is known of a dataset's group is
left out of the knowledge base, and the policy fitted anew without it, before the clock starts. Cells run one at a
time with 2 cores, each in a process of its own, as those of `autometa bench run`; an idle machine is up to the
caller. A cell may take 240 s and 16 GiB; autometa leaves out what is predicted to take more than half of the
seconds. The same command goes on where it was stopped. A cell that fails has the worst loss of any system on its
split and a millionth more.

`report` writes rows of two kinds. ``standing``: mean log-loss and mean rank of a system. ``difference``: mean
log-loss and mean rank (of the two alone) of a system less those of another, paired; ``best system`` is the best
of all on each dataset, ``best peer`` the best of FLAML and AutoGluon, and ``best candidate``, with the file that
``cc18.py candidates`` writes for the same splits, the best that could have been recommended: all three are chosen
with hindsight. Intervals are 95 % bootstrap over groups of datasets, whose members are siblings (``mfeat-*``).
``--by-dataset`` names a file for the losses on each dataset, those first where autometa loses most.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import budgets_report
import cc18_suite as suite
import numpy as np
import pandas as pd

from autometa.components.leaderboard.cells import REQUIRED
from autometa.components.openml.folder import OpenMLFolder
from autometa.engine.benchmark.run import BenchmarkPlan, run_benchmark
from autometa.engine.benchmark.systems import parse_systems
from autometa.engine.benchmark.table import read_results

SYSTEMS = ("autometa@0", "autometa@10", "autometa@60", "flaml@60", "autogluon@60")
CORES = 2
SECONDS, GIBIBYTES = 240.0, 16.0
DATA_FOLDER = "cc18"
RUN_COLUMNS = ("group", *REQUIRED, "log_loss", "accuracy")


def choose(entries: Sequence[Any], names: Sequence[str] | None, at_most: int | None) -> list[Any]:
    """The named datasets, or at most so many at equal steps of the order by size; `entries` are in that order."""
    if names:
        unknown = sorted(set(names) - {entry.name for entry in entries} - {entry.key for entry in entries})
        if unknown:
            known = [entry.name for entry in entries]
            raise SystemExit(f"The folder has no datasets {unknown} of OpenML-CC18; it has {known}.")
        return [entry for entry in entries if {entry.name, entry.key} & set(names)]
    if at_most is None or at_most >= len(entries):
        return list(entries)
    places = np.linspace(0, len(entries) - 1, at_most).round().astype(int)
    return [entries[place] for place in places]


def write_cut(folder: Path, entries: Sequence[Any], target: Path) -> None:
    """Write datasets as a folder of their own, each with the rows that `cc18_suite` takes."""
    (target / "parquet").mkdir(parents=True, exist_ok=True)
    wanted = [entry for entry in entries if not (target / "parquet" / entry.file).is_file()]
    for entry in wanted:
        frame = pd.read_parquet(folder / "parquet" / entry.file)
        frame = frame.dropna(subset=[entry.target]).reset_index(drop=True)
        rows = suite.rows_kept(OpenMLFolder(folder).load(entry.key))
        partial = target / "parquet" / f"{entry.file}.partial"
        frame.iloc[rows].reset_index(drop=True).to_parquet(partial)
        partial.replace(target / "parquet" / entry.file)
    index = pd.read_csv(folder / "index.csv", dtype=str, keep_default_na=False)
    there = {path.name for path in (target / "parquet").iterdir()}
    index[index["file"].isin(there)].to_csv(target / "index.csv", index=False)


def run(folder: Path, workspace: Path, entries: Sequence[Any], options: argparse.Namespace) -> None:
    """Run what is not in the workspace yet."""
    data = workspace / DATA_FOLDER
    write_cut(folder, entries, data)
    plan = BenchmarkPlan(
        parse_systems(options.systems),
        tasks=[f"folder:{entry.key}" for entry in entries],
        own_splits=options.n_splits,
        seconds=options.seconds_per_cell,
        memory=int(options.gibibytes_per_cell * 1024**3),
        cores=CORES,
    )
    print(f"{len(entries)} datasets, load of the machine before it starts: {os.getloadavg()[0]:.2f}", flush=True)
    print(run_benchmark(str(data), workspace, plan))


def export(folder: Path, workspace: Path) -> pd.DataFrame:
    """The runs of a workspace with the groups of their datasets."""
    groups = {f"folder:{key}": entry.group for key, entry in OpenMLFolder(folder).entries.items()}
    runs = read_results([workspace])
    return runs.assign(group=runs["task"].map(groups))[list(RUN_COLUMNS)].sort_values(
        ["task", "repeat", "system", "seed"], ignore_index=True
    )


def parsed() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    choosing, running, exporting, reporting = (
        commands.add_parser(name) for name in ("choose", "run", "export", "report")
    )
    for each in (choosing, running, exporting):
        each.add_argument("folder", type=Path)
    for each in (choosing, running):
        each.add_argument("--datasets", nargs="+", metavar="NAME", help="names, or keys as openml-31")
        each.add_argument("--max-datasets", type=int)
    running.add_argument("--n-splits", type=int, default=1)
    running.add_argument("--systems", nargs="+", default=list(SYSTEMS))
    running.add_argument("--seconds-per-cell", type=float, default=SECONDS)
    running.add_argument("--gibibytes-per-cell", type=float, default=GIBIBYTES)
    for each in (running, exporting):
        each.add_argument("--workspace", type=Path, required=True)
    for each in (exporting, reporting):
        each.add_argument("--runs", type=Path, required=True)
    reporting.add_argument("--candidates", type=Path, help="runs of `cc18.py candidates`")
    reporting.add_argument("--output", type=Path)
    reporting.add_argument("--by-dataset", type=Path)
    return parser.parse_args()


def main() -> None:
    """Do what the command line says."""
    options = parsed()
    if options.command in ("choose", "run"):
        entries = choose(suite.entries(options.folder), options.datasets, options.max_datasets)
        for entry in entries:
            size = f"{min(entry.n_samples, suite.MAX_ROWS)} rows x {entry.n_features} features"
            print(f"{entry.key} {entry.name}: {size}, group {entry.group}")
        if options.command == "run":
            run(options.folder, options.workspace, entries, options)
        return
    if options.command == "export":
        export(options.folder, options.workspace).to_csv(options.runs, index=False)
        return
    runs = pd.read_csv(options.runs)
    candidates = pd.read_csv(options.candidates) if options.candidates else None
    table, each = budgets_report.report(runs, candidates), budgets_report.by_dataset(runs, candidates)
    for kind in ("standing", "difference"):
        print(table[table["kind"] == kind].dropna(axis="columns", how="all").to_string(index=False), "\n")
    print(each.to_string(index=False, max_colwidth=30))
    for path, found in ((options.output, table), (options.by_dataset, each)):
        if path:
            found.to_csv(path, index=False)


if __name__ == "__main__":
    main()
