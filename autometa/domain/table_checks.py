"""What an estimator around other estimators checks of a table that it hands on as it came."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

__all__ = ["TableChecks"]


class TableChecks:
    """A mixin of scikit-learn estimators; what it accepts of arrays their tags say.

    A DataFrame keeps its dtypes (categories, strings); its names and their order are checked all the same. The
    target beside a DataFrame stays as it came, too.
    """

    def _checked_table(self, X: Any, y: Any, **array_checks: Any) -> tuple[Any, Any]:
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, y, skip_check_array=True)
            return X, y
        checked, target = validate_data(self, X, y, **self._array_checks(), **array_checks)
        return checked, target

    def _checked(self, X: Any) -> Any:
        check_is_fitted(self)
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=False, skip_check_array=True)
            return X
        return validate_data(self, X, reset=False, **self._array_checks())

    def _array_checks(self) -> dict[str, Any]:
        accepted = get_tags(self).input_tags
        finite = "allow-nan" if accepted.allow_nan else True
        return {"accept_sparse": accepted.sparse, "ensure_all_finite": finite, "dtype": None}
