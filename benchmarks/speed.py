"""Measure what the README promises about time and memory.

    python benchmarks/speed.py --output benchmarks/results/speed.json

Every figure is taken in a process of its own; medians of several repetitions where one repetition is short. The
plugins are those of the environment, or those that AUTOMETA_PLUGINS names; the result says which.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TABLE = """
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
n, p = {n_rows}, 50
X = pd.DataFrame(rng.standard_normal((n, p)), columns=[f"c{{j}}" for j in range(p)])
y = (X.iloc[:, :5].sum(axis=1) + rng.standard_normal(n) > 0).map({{True: "yes", False: "no"}})
"""

RECOMMEND = """
import json, statistics, time
import autometa
seconds = []
for _ in range({repetitions}):
    started = time.perf_counter()
    recommendation = autometa.recommend((X, y))
    seconds.append(time.perf_counter() - started)
print(json.dumps({{"first": seconds[0], "warm": statistics.median(seconds[1:] or seconds)}}))
"""

MEMORY = """
import json, os, threading, time
import psutil
import autometa
from sklearn.datasets import load_wine
autometa.recommend(load_wine(as_frame=True))  # code and policy are loaded; what follows is the table's own cost
process = psutil.Process()
before, peak, running = process.memory_info().rss, 0, True
def watch():
    global peak
    while running:
        peak = max(peak, process.memory_info().rss)
        time.sleep(0.002)
watcher = threading.Thread(target=watch); watcher.start()
started = time.perf_counter()
autometa.recommend((X, y))
seconds = time.perf_counter() - started
running = False; watcher.join()
print(json.dumps({"seconds": seconds, "megabytes_above_data": (peak - before) / 1e6}))
"""

POLICY = """
import json, time
from autometa.components.knowledge import KnowledgeBase
import autometa
from sklearn.datasets import load_wine
data = load_wine(as_frame=True)
started = time.perf_counter()
recommendation = autometa.recommend(data)
print(json.dumps({"seconds": time.perf_counter() - started, "policy": recommendation.seconds.get("policy")}))
"""

IMPORTS = """
import json, subprocess, sys, time
def once(code):
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started
base = [once("import sklearn") for _ in range(7)]
ours = [once("import sklearn, autometa") for _ in range(7)]
import statistics
loaded = subprocess.run(
    [sys.executable, "-c",
     "import autometa, sys; print([m for m in ('torch', 'openml', 'optuna') if m in sys.modules])"],
    check=True, capture_output=True, text=True).stdout.strip()
over = statistics.median(ours) - statistics.median(base)
print(json.dumps({"over_sklearn": over, "heavy_modules_loaded": loaded}))
"""

PROCESS = """
import json, statistics, subprocess, sys, time
def once():
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "autometa", *{arguments}], check=True, capture_output=True)
    return time.perf_counter() - started
seconds = [once() for _ in range(6)]
print(json.dumps({{"seconds": statistics.median(seconds[1:])}}))
"""


INSTALLED = """
import json
from autometa.plugins import get_registry
records = get_registry().records
names, errors = [record.name for record in records], [record.error for record in records if record.error]
print(json.dumps({"plugins": names, "errors": errors}))
"""


def run(code: str, **environment: str) -> dict[str, object]:
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    if process.returncode:
        raise SystemExit(process.stderr)
    return json.loads(process.stdout.splitlines()[-1])


def machine() -> dict[str, object]:
    names = [line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    cpu = names[0] if names else platform.processor()
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version()}


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/speed.json"))
    output = parser.parse_args().output
    small = TABLE.format(n_rows=10_000)
    results: dict[str, object] = {"machine": machine(), **run(INSTALLED)}
    with tempfile.TemporaryDirectory() as cache:
        fresh = [run(POLICY, AUTOMETA_CACHE_DIRECTORY=f"{cache}/{i}") for i in range(3)]
        results["first_policy_fit_seconds"] = statistics.median(r["policy"] for r in fresh)
    results["recommend_10000x50"] = run(small + RECOMMEND.format(repetitions=8))
    results["recommend_1000000x50"] = run(TABLE.format(n_rows=1_000_000) + MEMORY)
    results["import_autometa"] = run(IMPORTS)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/table.csv"
        run(small + f"X.assign(target=y).to_csv({path!r}, index=False); print('{{}}')")
        arguments = ["recommend", path, "--target", "target"]
        results["command_line_process"] = run(PROCESS.format(arguments=arguments))
        results["plugins_process"] = run(PROCESS.format(arguments=["plugins"]))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
