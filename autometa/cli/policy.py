"""Commands about the policy: policy evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autometa.cli import options, render

__all__ = ["application"]

application = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@application.callback()
def _group() -> None:
    """Judge policies."""


@application.command()
def evaluate(
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", help="Default: log_loss and nrmse. Repeatable.")
    ] = None,
    policy: Annotated[list[str] | None, typer.Option("--policy", help="Default: all. Repeatable.")] = None,
    n_seeds: Annotated[int, typer.Option("--n-seeds", help="Rounds with other seeds.")] = 3,
    n_folds: Annotated[
        int | None, typer.Option("--n-folds", help="Folds of dataset groups; default: leave one group out.")
    ] = None,
    n_jobs: Annotated[int, typer.Option("--n-jobs", help="Worker processes.")] = 1,
    knowledge: options.Knowledge = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="CSV file to write.")] = None,
    json: options.Json = False,
) -> None:
    """Judge policies on dataset groups that they have not seen: closed gap at top-1, 3 and 5."""
    import pandas as pd

    from autometa.components.knowledge import KnowledgeBase
    from autometa.decision.policy import POLICIES, evaluate_policies
    from autometa.domain.metrics import CLASSIFICATION_METRICS

    base = KnowledgeBase.open(knowledge)
    frames = []
    for name in metric or ("log_loss", "nrmse"):
        meta = base.meta_dataset(name in CLASSIFICATION_METRICS, name)
        report = evaluate_policies(
            meta, tuple(policy or POLICIES), seeds=range(n_seeds), n_folds=n_folds, n_jobs=n_jobs
        )
        frames.append(report.to_frame())
        if not json:
            render.console.print(report.to_markdown(), markup=False, highlight=False, soft_wrap=True)
    table = pd.concat(frames, ignore_index=True)
    if output is not None:
        render.write_csv(table, output)
    if json:
        render.print_json(table.to_json(orient="records"))
