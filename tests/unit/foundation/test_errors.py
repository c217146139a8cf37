"""One tree of errors, each with its facts as data, that travels between processes."""

from __future__ import annotations

import inspect
import pickle

import pytest

from autometa.foundation import errors
from autometa.foundation.errors import AutoMetaError, AutoMetaWarning, InputError, OpenMLNotFoundError

CLASSES = [getattr(errors, name) for name in errors.__all__]


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, AutoMetaError)])
def test_errors_pickle_with_their_facts(kind):
    error = kind("What went wrong.", column="a", rows=[1, 2])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.message) == ("What went wrong.", "What went wrong.")
    assert again.context == {"column": "a", "rows": [1, 2]}


def test_there_is_one_tree_of_errors_and_one_of_warnings():
    for kind in CLASSES:
        assert issubclass(kind, (AutoMetaError, AutoMetaWarning))
        assert inspect.getdoc(kind)
    defined = {
        name for name, kind in vars(errors).items() if inspect.isclass(kind) and kind.__module__ == errors.__name__
    }
    assert defined == set(errors.__all__)


def test_what_the_user_gave_wrong_is_a_value_error_too():
    assert issubclass(InputError, ValueError)
    assert not issubclass(OpenMLNotFoundError, InputError)
    with pytest.raises(ValueError, match="a"):
        raise errors.TargetError("a")
