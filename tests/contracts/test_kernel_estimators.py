"""scikit-learn's own checks of estimators, on the kernel ensembles."""

from __future__ import annotations

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from autometa.components.kernels import KernelEnsembleClassifier, KernelEnsembleRegressor

EXPECTED_FAILURES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "what is said of a repeated row has seen its twin, what is said of a row of double weight has not; "
        "so rates, ridges and stacking weights differ"
    )
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [KernelEnsembleClassifier(), KernelEnsembleRegressor()],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_estimator_contract(estimator, check):
    check(estimator)
