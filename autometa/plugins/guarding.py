"""What a third party's code raises or returns does no harm, also where it fails at being put into words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autometa.foundation.errors import PluginError

__all__ = ["guarded", "said", "shown"]


def said(error: BaseException) -> str:
    """Return an error's type and message.

    Parameters
    ----------
    error : BaseException

    Returns
    -------
    str
        The type's name alone if the error cannot say its message.
    """
    kind = type(error).__name__
    return _words(lambda: f"{kind}: {error}", otherwise=kind)


def shown(value: object) -> str:
    """Return a value's representation.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        ``<TypeName>`` if it has none.
    """
    return _words(lambda: repr(value), otherwise=f"<{type(value).__name__}>")


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn whatever a third party's code raises into an error of ours, SystemExit included; only Ctrl-C passes.

    Parameters
    ----------
    what : str
        What is asked for, the first words of the message.

    Raises
    ------
    PluginError
        If the code inside raises.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(f"{what} failed with {said(error)}") from error


def _words(say: Callable[[], str], *, otherwise: str) -> str:
    try:
        return say()
    except KeyboardInterrupt:
        raise
    except BaseException:  # a third party's __str__ or __repr__ may raise whatever it likes
        return otherwise
