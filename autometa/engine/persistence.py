"""Models on disk, without pickle: skops archives of which every type is checked before anything is built."""

from __future__ import annotations

import inspect
import os
import pkgutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from autometa.foundation.errors import FileFormatError, InputError

__all__ = ["check_destination", "load_model", "save_model"]

# Classes of these packages are built when a model is read. A function is refused, because a transformer can be
# made to call it: only those that the pipelines of the built-in strategies hold are let through.
TRUSTED_PACKAGES = frozenset({"autometa", "sklearn", "skrub", "numpy", "scipy"})
TRUSTED_FUNCTIONS = frozenset(
    {
        "autometa.components.strategies.preprocessing._at_least_one_column",
        "autometa.components.strategies.preprocessing._within_float32",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
    }
)


def check_destination(path: str | os.PathLike[str]) -> None:
    """Check that a model can be written to a path, before time is spent on fitting it.

    Parameters
    ----------
    path : path

    Raises
    ------
    InputError
        If the folder does not exist or cannot be written to, or the path is a folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        problem = f"the folder {target.parent} does not exist"
    elif target.is_dir():
        problem = "it is a folder; give the name of a file"
    elif not os.access(target.parent, os.W_OK):
        problem = f"the folder {target.parent} is not writable"
    else:
        return
    raise InputError(f"Cannot write the model to {target}: {problem}.", path=str(target))


def save_model(model: Any, path: str | os.PathLike[str]) -> Path:
    """Write a fitted estimator to a file.

    Parameters
    ----------
    model : fitted estimator
    path : path
        Written atomically; by custom it ends in ``.skops``.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the folder cannot be written to, or the model holds something that cannot be stored without pickle.
    """
    import skops.io

    target = Path(path)
    try:
        data = skops.io.dumps(model)
    except Exception as error:  # skops raises what the stored object's own methods raise
        raise InputError(
            f"The model {type(model).__name__} holds something that cannot be stored without pickle: {error}."
        ) from error
    try:
        _write_atomically(target, data)
    except OSError as error:
        raise InputError(f"Cannot write the model to {target}: {error.strerror or error}.") from error
    return target


def _write_atomically(target: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.replace(file.name, target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def load_model(path: str | os.PathLike[str], *, trust: tuple[str, ...] = ()) -> Any:
    """Read a model that `save_model` wrote.

    Parameters
    ----------
    path : path
    trust : tuple of str
        Further top-level packages whose types may be built, such as a plugin's.

    Returns
    -------
    fitted estimator

    Raises
    ------
    FileFormatError
        If the file is not such a model, or holds types of a package that is not trusted.
    """
    import skops.io

    source = Path(path)
    try:
        data = source.read_bytes()
        types = skops.io.get_untrusted_types(data=data)
    except OSError as error:
        raise FileFormatError(f"Cannot read the model {source}: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"{source} is not a model written by `autometa fit` or `autometa.save_model`: {error}."
        ) from error
    foreign = [name for name in types if not _is_trusted(name, trust)]
    if foreign:
        raise FileFormatError(
            f"{source} holds types that are not trusted: {foreign[:5]}. If they belong to a plugin whose "
            "package you trust, name the package in `trust`.",
            types=foreign,
        )
    return skops.io.loads(data, trusted=types)


def _is_trusted(name: str, trust: tuple[str, ...]) -> bool:
    package = name.split(".")[0]
    if package in trust or name in TRUSTED_FUNCTIONS:
        return True
    if package not in TRUSTED_PACKAGES:
        return False
    try:
        return inspect.isclass(pkgutil.resolve_name(name))
    except (ImportError, AttributeError, ValueError):
        return False
