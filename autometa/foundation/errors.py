"""Every error and warning that autometa raises.

::

    AutoMetaError
    ├── InputError                    what the user gave cannot be used
    │   ├── TableError                the table itself (empty, duplicate names, unreadable cells, ...)
    │   ├── TargetError               the target column (missing, NaN, one class, ...)
    │   ├── FileFormatError           a file that cannot be read as what it claims to be
    │   └── ParameterError            an argument outside its allowed set
    ├── UnsupportedTaskError          a strategy refuses a task; carries its reason
    ├── NoCandidateError              every candidate was excluded
    ├── EvaluationError               a cell could not be evaluated
    │   ├── CellTimeoutError          ran past its limit of seconds
    │   ├── CellMemoryError           grew past its limit of bytes
    │   └── CellCrashError            the interpreter died
    ├── StoreError                    the result store cannot be read or written
    ├── KnowledgeError                the knowledge base cannot be used
    │   ├── KnowledgeSchemaError      of another schema version
    │   └── KnowledgeIntegrityError   a file does not have the hash that its manifest states
    ├── PolicyError                   a policy cannot be fitted or asked
    ├── BenchmarkError                a suite or a system of a benchmark cannot be used
    │   └── LeakageError              a policy knows the task that it is to be judged on
    ├── PluginError                   a plugin failed to load or to register
    └── OpenMLError                   talking to an OpenML server
        ├── OpenMLNotFoundError       the server does not know the id
        ├── OpenMLUnavailableError    no answer, or none that is OpenML's
        └── OfflineError              the network is needed but forbidden

    AutoMetaWarning
    ├── DataWarning                   the table was used, but something about it deserves a look
    ├── PluginWarning                 a plugin was left out
    ├── LimitWarning                  only a forecast says that the fitted model keeps a limit
    └── KnownDatasetWarning           the knowledge base holds the very dataset it is asked about
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AutoMetaError",
    "AutoMetaWarning",
    "BenchmarkError",
    "CellCrashError",
    "CellMemoryError",
    "CellTimeoutError",
    "DataWarning",
    "EvaluationError",
    "FileFormatError",
    "InputError",
    "KnowledgeError",
    "KnowledgeIntegrityError",
    "KnowledgeSchemaError",
    "KnownDatasetWarning",
    "LeakageError",
    "LimitWarning",
    "NoCandidateError",
    "OfflineError",
    "OpenMLError",
    "OpenMLNotFoundError",
    "OpenMLUnavailableError",
    "ParameterError",
    "PluginError",
    "PluginWarning",
    "PolicyError",
    "StoreError",
    "TableError",
    "TargetError",
    "UnsupportedTaskError",
]


class AutoMetaError(Exception):
    """Base of everything that autometa raises on purpose.

    Parameters
    ----------
    message : str
        What went wrong, where, what is allowed, what came instead, and what to do next.
    **context : Any
        The same facts as data, for programs; kept in ``context``.
    """

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the context when the error travels between processes."""
        return _rebuild, (type(self), self.message, self.context)


def _rebuild(cls: type[AutoMetaError], message: str, context: dict[str, Any]) -> AutoMetaError:
    return cls(message, **context)


class InputError(AutoMetaError, ValueError):
    """What the user gave cannot be used."""


class TableError(InputError):
    """The table cannot be used: no rows, duplicate column names, nested objects, ..."""


class TargetError(InputError):
    """The target cannot be used: not in the table, missing values, a single class, ..."""


class FileFormatError(InputError):
    """A file cannot be read as the format that its name claims."""


class ParameterError(InputError):
    """An argument is outside its allowed set."""


class UnsupportedTaskError(AutoMetaError):
    """A strategy refuses a task; the message is its reason."""


class NoCandidateError(AutoMetaError):
    """Every candidate was excluded; the message lists the reasons."""


class EvaluationError(AutoMetaError):
    """A cell of an experiment could not be evaluated."""


class CellTimeoutError(EvaluationError):
    """A cell ran past its limit of seconds."""


class CellMemoryError(EvaluationError):
    """A cell grew past its limit of bytes."""


class CellCrashError(EvaluationError):
    """The interpreter that evaluated a cell died."""


class StoreError(AutoMetaError):
    """The result store cannot be read or written (a full disk, a foreign file)."""


class KnowledgeError(AutoMetaError):
    """The knowledge base cannot be used."""


class KnowledgeSchemaError(KnowledgeError):
    """The knowledge base has another schema version than this autometa reads."""


class KnowledgeIntegrityError(KnowledgeError):
    """A file of the knowledge base does not have the hash that its manifest states."""


class PolicyError(AutoMetaError):
    """A policy cannot be fitted or asked."""


class BenchmarkError(AutoMetaError):
    """A suite or a system of a benchmark cannot be used, or cells of it could not be run."""


class LeakageError(BenchmarkError):
    """A policy knows the task that it is to be judged on."""


class PluginError(AutoMetaError):
    """A plugin failed to load or to register."""


class OpenMLError(AutoMetaError):
    """Talking to an OpenML server failed."""


class OpenMLNotFoundError(OpenMLError):
    """The OpenML server does not know the id."""


class OpenMLUnavailableError(OpenMLError):
    """The OpenML server gives no answer, or none that is OpenML's."""


class OfflineError(OpenMLError):
    """The network is needed, but ``offline`` is set."""


class AutoMetaWarning(UserWarning):
    """Base of the warnings of autometa."""


class DataWarning(AutoMetaWarning):
    """The table was used, but something about it deserves a look."""


class PluginWarning(AutoMetaWarning):
    """A plugin, or a part of what it brings, failed and was left out."""


class LimitWarning(AutoMetaWarning):
    """Only a forecast says that the fitted model keeps a limit: what was measured breaks it."""


class KnownDatasetWarning(AutoMetaWarning):
    """The knowledge base holds this very dataset, so its past results there are not a forecast."""
