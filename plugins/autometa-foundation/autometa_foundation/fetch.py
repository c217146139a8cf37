"""The only place that downloads: by each library's own mechanism, checked before anything uses it."""

from __future__ import annotations

import hashlib
import string
from dataclasses import dataclass
from pathlib import Path

from autometa_foundation import weights
from autometa_foundation.availability import is_offline, library_obstacle
from autometa_foundation.checkpoints import check_checkpoint
from autometa_foundation.errors import FoundationError, LicenceError, WeightsError
from autometa_foundation.models import CLASSIFICATION, PretrainedModel

__all__ = ["Fetched", "fetch"]

_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of weights that is on this machine and was checked.

    Attributes
    ----------
    path : Path
    sha256 : str
    stated : bool
        Whether the hub states this hash; if not, there was none to compare with.
    """

    path: Path
    sha256: str
    stated: bool


def fetch(model: PretrainedModel, kind: str) -> Fetched:
    """Download weights and check them.

    Parameters
    ----------
    model : PretrainedModel
    kind : {"classification", "regression"}

    Returns
    -------
    Fetched

    Raises
    ------
    LicenceError
        If the licence of the weights has not been accepted.
    WeightsError
        If what came is not what the hub states, or is not safe to read; it is deleted.
    FoundationError
        If the library is absent, the network is forbidden, or the download failed.
    """
    obstacle = library_obstacle(model)
    if obstacle is not None:
        raise FoundationError(f"The weights of {model} cannot be downloaded: {obstacle}.")
    if is_offline():
        raise FoundationError(
            f"The weights of {model} cannot be downloaded: the network is forbidden (AUTOMETA_OFFLINE, "
            f"HF_HUB_OFFLINE). Copy {model.files[kind]} to {weights.places(model, kind)[0]}, or unset them."
        )
    path = _from_tabpfn(model, kind) if model.library == "tabpfn" else _from_hub(model, kind)
    return _checked(model, kind, path)


def _from_tabpfn(model: PretrainedModel, kind: str) -> Path:
    from tabpfn.constants import ModelVersion
    from tabpfn.errors import TabPFNHuggingFaceGatedRepoError, TabPFNLicenseError
    from tabpfn.model_loading import download_model

    path = weights.places(model, kind)[0]
    outcome = download_model(
        path,
        version=ModelVersion(model.version),
        which="classifier" if kind == CLASSIFICATION else "regressor",
        model_name=model.files[kind],
    )
    if outcome == "ok":
        return path
    error = outcome[0]
    if isinstance(error, (TabPFNLicenseError, TabPFNHuggingFaceGatedRepoError)) or model.gated:
        raise LicenceError(
            f"{model} was not downloaded. Its weights are behind {model.licence} ({model.licence_url}): accept it "
            "at https://ux.priorlabs.ai (Licenses), set TABPFN_TOKEN to the API key of that account, and run this "
            f"again. tabpfn says: {error}"
        ) from error
    raise FoundationError(f"{model} was not downloaded: {error}. Is this machine online?") from error


def _from_hub(model: PretrainedModel, kind: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import GatedRepoError

    own = weights.own_folder()
    where = {"cache_dir": weights.hub_folder()} if own is None else {"local_dir": own}
    try:
        return Path(hf_hub_download(repo_id=model.repositories[kind], filename=model.files[kind], **where))
    except GatedRepoError as error:
        raise LicenceError(
            f"{model} was not downloaded: accept its terms at https://huggingface.co/{model.repositories[kind]} "
            f"and run `hf auth login`. The hub says: {error}"
        ) from error
    except Exception as error:  # the hub's client lets the errors of its HTTP library through
        raise FoundationError(f"{model} was not downloaded: {error}. Is this machine online?") from error


def _checked(model: PretrainedModel, kind: str, path: Path) -> Fetched:
    digest = _sha256(path)
    stated = _stated_hash(model, kind)
    if stated is not None and stated != digest:
        _delete(path)
        raise WeightsError(
            f"{path} was deleted: its SHA-256 is {digest}, and the hub states {stated}. Run this again; if it "
            "comes again, something between here and the hub changes files."
        )
    try:
        check_checkpoint(path)
    except WeightsError:
        _delete(path)
        raise
    return Fetched(path, digest, stated is not None)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _stated_hash(model: PretrainedModel, kind: str) -> str | None:
    """Return the SHA-256 that the hub states of a large file: it is the file's tag."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url

    try:
        tag = get_hf_file_metadata(hf_hub_url(model.repositories[kind], model.files[kind])).etag
    except Exception:  # the file is here; without a statement it counts as not compared, which the caller says
        return None
    return tag if tag and len(tag) == 64 and set(tag) <= set(string.hexdigits) else None


def _delete(path: Path) -> None:
    """Delete a file, and where it is a link into the hub's cache also what it points to."""
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
