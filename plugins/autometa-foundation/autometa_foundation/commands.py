"""Commands: autometa foundation status, autometa foundation fetch."""

from __future__ import annotations

import json as json_format
from typing import Annotated, Any

import typer

from autometa_foundation import weights
from autometa_foundation.availability import library_obstacle, weights_obstacle
from autometa_foundation.errors import FoundationError
from autometa_foundation.models import CLASSIFICATION, REGRESSION, TABICL, PretrainedModel, chosen_tabpfn

__all__ = ["application"]

application = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@application.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Say which weights are on this machine, and what to do for those that are not."""
    rows = [
        _row(model, kind) for model in (chosen_tabpfn(), TABICL["v2"]) for kind in (CLASSIFICATION, REGRESSION)
    ]
    if json:
        typer.echo(json_format.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['model']}, {row['kind']}: {row['obstacle'] or 'ready'}")
        typer.echo(f"    {row['path'] or row['file']}")
        typer.echo(f"    {row['licence']} ({row['licence_url']})")


def _row(model: PretrainedModel, kind: str) -> dict[str, Any]:
    path = weights.find_weights(model, kind)
    return {
        "library": model.library,
        "model": str(model),
        "kind": kind,
        "file": model.files[kind],
        "path": None if path is None else str(path),
        "obstacle": library_obstacle(model) or weights_obstacle(model, kind),
        "licence": model.licence,
        "licence_url": model.licence_url,
    }


@application.command()
def fetch(
    library: Annotated[str, typer.Argument(help="tabpfn or tabicl.")],
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licence that is shown without being asked.")
    ] = False,
) -> None:
    """Show the licence of a model, download its weights and check them."""
    from autometa_foundation.fetch import fetch as download

    model = _named(library)
    typer.echo(f"The weights of {model} are published under {model.licence}:\n    {model.licence_url}")
    for kind in (CLASSIFICATION, REGRESSION):
        typer.echo(f"    https://huggingface.co/{model.repositories[kind]}  {model.files[kind]}")
    if not accept_licence:
        typer.confirm("Have you read the licence, and do you accept it?", abort=True)
    for kind in (CLASSIFICATION, REGRESSION):
        fetched = download(model, kind)
        compared = "as the hub states" if fetched.stated else "the hub states no hash to compare with"
        typer.echo(f"{fetched.path}\n    SHA-256 {fetched.sha256} ({compared})")


def _named(library: str) -> PretrainedModel:
    if library == "tabpfn":
        return chosen_tabpfn()
    if library == "tabicl":
        return TABICL["v2"]
    raise FoundationError(f"There are weights of 'tabpfn' and 'tabicl'; got {library!r}.")
