"""Putting into words what a third party's code raised or returned, also where it fails at being put into words."""

from __future__ import annotations

__all__ = ["said", "shown"]


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
    try:
        return f"{kind}: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException:  # a third party's __str__ may raise whatever it likes
        return kind


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
    try:
        return repr(value)
    except KeyboardInterrupt:
        raise
    except BaseException:  # as above
        return f"<{type(value).__name__}>"
