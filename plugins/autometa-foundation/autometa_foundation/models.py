"""Which pretrained models there are: their files, where they come from, their licences and limits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from autometa_foundation.errors import FoundationError

__all__ = ["CLASSIFICATION", "REGRESSION", "TABICL", "TABPFN", "PretrainedModel", "chosen_tabpfn", "model_of"]

CLASSIFICATION: Final = "classification"
REGRESSION: Final = "regression"


@dataclass(frozen=True, slots=True)
class PretrainedModel:
    """One released set of weights.

    Attributes
    ----------
    library : {"tabpfn", "tabicl"}
        Name of the package that runs it, on PyPI and for import.
    version : str
        As the library names it.
    repositories, files : mapping of {"classification", "regression"} to str
        Repository on the Hugging Face hub, and the file in it.
    licence, licence_url : str
    gated : bool
        Whether the licence must be accepted, in an account, before the weights can be downloaded.
    max_rows, max_columns : int
        What the authors recommend at most.
    max_classes : int or None
        None where there is no limit.
    max_cpu_rows : int
        Training rows beyond which a CPU is too slow.
    """

    library: str
    version: str
    repositories: Mapping[str, str]
    files: Mapping[str, str]
    licence: str
    licence_url: str
    gated: bool
    max_rows: int
    max_columns: int
    max_classes: int | None
    max_cpu_rows: int

    def __str__(self) -> str:
        return f"{'TabPFN' if self.library == 'tabpfn' else 'TabICL'} {self.version}"


def _both(value: str) -> dict[str, str]:
    return {CLASSIFICATION: value, REGRESSION: value}


def _gated_tabpfn(
    version: str, repository: str, *, max_rows: int, max_classes: int, max_cpu_rows: int
) -> PretrainedModel:
    return PretrainedModel(
        library="tabpfn",
        version=version,
        repositories=_both(f"Prior-Labs/{repository}"),
        files={
            CLASSIFICATION: f"tabpfn-{version}-classifier-{version}_default.ckpt",
            REGRESSION: f"tabpfn-{version}-regressor-{version}_default.ckpt",
        },
        licence=f"the non-commercial TabPFN-{version.removeprefix('v')} licence",
        licence_url=f"https://huggingface.co/Prior-Labs/{repository}/blob/main/LICENSE",
        gated=True,
        max_rows=max_rows,
        max_columns=2_000,
        max_classes=max_classes,
        max_cpu_rows=max_cpu_rows,
    )


# Files and repositories: tabpfn 8.5, `tabpfn.model_loading.ModelSource`. Limits: `tabpfn.inference_config` for v2
# and v2.5, the README of tabpfn 8.5 and https://docs.priorlabs.ai/models for the others.
TABPFN: Final[Mapping[str, PretrainedModel]] = {
    "v2": PretrainedModel(
        library="tabpfn",
        version="v2",
        repositories={CLASSIFICATION: "Prior-Labs/TabPFN-v2-clf", REGRESSION: "Prior-Labs/TabPFN-v2-reg"},
        files={
            CLASSIFICATION: "tabpfn-v2-classifier-finetuned-zk73skhh.ckpt",
            REGRESSION: "tabpfn-v2-regressor.ckpt",
        },
        licence="the Prior Labs License (Apache 2.0 with an attribution requirement)",
        licence_url="https://huggingface.co/Prior-Labs/TabPFN-v2-clf/blob/main/LICENSE.txt",
        gated=False,
        max_rows=10_000,
        max_columns=500,
        max_classes=10,
        max_cpu_rows=1_000,
    ),
    "v2.5": _gated_tabpfn("v2.5", "tabpfn_2_5", max_rows=50_000, max_classes=10, max_cpu_rows=1_000),
    "v2.6": _gated_tabpfn("v2.6", "tabpfn_2_6", max_rows=100_000, max_classes=10, max_cpu_rows=1_000),
    "v3": _gated_tabpfn("v3", "tabpfn_3", max_rows=100_000, max_classes=160, max_cpu_rows=5_000),
}
# Files: tabicl 2.2, `tabicl.TabICLClassifier`. Limits: README of tabicl 2.2; more than ten classes are predicted
# in a hierarchy. The limit of a CPU is this plugin's: 2,000 rows of 20 columns cost over a minute of one core.
TABICL: Final[Mapping[str, PretrainedModel]] = {
    "v2": PretrainedModel(
        library="tabicl",
        version="v2",
        repositories=_both("jingang/TabICL"),
        files={
            CLASSIFICATION: "tabicl-classifier-v2-20260212.ckpt",
            REGRESSION: "tabicl-regressor-v2-20260212.ckpt",
        },
        licence="BSD 3-Clause",
        licence_url="https://huggingface.co/jingang/TabICL",
        gated=False,
        max_rows=100_000,
        max_columns=2_000,
        max_classes=None,
        max_cpu_rows=2_000,
    ),
}


def model_of(library: str, version: str) -> PretrainedModel:
    """Look a model up.

    Parameters
    ----------
    library : {"tabpfn", "tabicl"}
    version : str

    Returns
    -------
    PretrainedModel

    Raises
    ------
    FoundationError
        If there is no such version.
    """
    versions = TABPFN if library == "tabpfn" else TABICL
    if version not in versions:
        raise FoundationError(f"{library} has no version {version!r}; this plugin knows {sorted(versions)}.")
    return versions[version]


def chosen_tabpfn() -> PretrainedModel:
    """Return the TabPFN that is used: the one that ``TABPFN_MODEL_VERSION`` names, else v2.

    v2 is the last one whose weights may be used commercially; choosing another is choosing its licence.

    Returns
    -------
    PretrainedModel

    Raises
    ------
    FoundationError
        If the environment variable names no version.
    """
    version = os.environ.get("TABPFN_MODEL_VERSION", "").strip() or "v2"
    if version not in TABPFN:
        raise FoundationError(
            f"TABPFN_MODEL_VERSION must be one of {sorted(TABPFN)}; got {version!r}. Unset it for v2."
        )
    return TABPFN[version]
