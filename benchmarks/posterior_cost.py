"""What the posterior costs: processor seconds to learn it, milliseconds for one update, bytes in the cache.

Usage: ``OMP_NUM_THREADS=1 python benchmarks/posterior_cost.py``

On the shipped knowledge base, for the default metrics, with and without the pooled model. An update is what
follows every run of a search: all evidence of a task, of all candidates at all its sizes, turned into a belief.
Processor time of one thread, so that other work on the machine counts little. Written is
``results/posterior_cost.csv``.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from autometa import settings_context
from autometa.components.knowledge import KnowledgeBase
from autometa.components.knowledge.meta_dataset import MetaDataset
from autometa.decision.policy import get_policy, query_of
from autometa.decision.policy.evidence import RelativeEvidence
from autometa.decision.policy.posterior import Posterior
from autometa.decision.policy.rehearsal import own_runs, rows_scored

RESULT = Path(__file__).parent / "results" / "posterior_cost.csv"
METRICS = {"log_loss": True, "nrmse": False}
N_TASKS = 20


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds of this process that something takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def costs(meta: MetaDataset, *, pooled: bool) -> dict[str, float]:
    """Learn a posterior, update it on the tasks with the most runs, and weigh its arrays."""
    prior = get_policy("proximity").fit(meta)
    posterior = Posterior(prior, pooled=pooled)
    learning = processor_seconds(lambda: posterior.fit(meta))
    runs = own_runs(meta)
    full = np.flatnonzero(meta.full_size)
    tasks = meta.tasks["task"].astype(str).to_numpy()
    most = sorted(full.tolist(), key=lambda row: -len(runs.get(tasks[row], ())))[:N_TASKS]
    updates = []
    for row in most:
        query = query_of(meta, row)
        given = posterior.assumptions(prior.rank(query), query)
        ended = [run for run in runs[tasks[row]] if np.isfinite(run.loss)]
        evidence = RelativeEvidence.of(ended, unit=given.unit, n_test=rows_scored(query.n_train))
        posterior.believe(given, evidence)
        updates.append(processor_seconds(lambda given=given, shown=evidence: posterior.believe(given, shown)))
    size = sum(array.nbytes for array in posterior.to_arrays().values())
    return {
        "n_candidates": meta.n_candidates,
        "learn_seconds": learning,
        "update_ms_median": 1e3 * float(np.median(updates)),
        "update_ms_max": 1e3 * max(updates),
        "megabytes": size / 1e6,
    }


def main() -> None:
    """Measure and write."""
    warnings.simplefilter("ignore")
    rows = []
    with settings_context(plugins=""):
        base = KnowledgeBase.open(None)
        for metric, is_classification in METRICS.items():
            meta = base.meta_dataset(is_classification, metric)
            rows += [
                {"metric": metric, "pooled": pooled, **costs(meta, pooled=pooled)} for pooled in (False, True)
            ]
    pd.DataFrame(rows).to_csv(RESULT, index=False, float_format="%.3g")


if __name__ == "__main__":
    main()
