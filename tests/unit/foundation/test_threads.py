"""One thread for a while, whoever asks for it beside others."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from autometa.foundation.threads import one_thread


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_users_that_overlap_leave_no_limit_behind():
    np.ones((2, 2)) @ np.ones((2, 2))
    with threadpool_limits(limits=2, user_api="blas"):
        first, second = one_thread(), one_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert threads() == {1}
        second.__exit__(None, None, None)
        assert threads() == {2}


def test_an_error_ends_it_too():
    with threadpool_limits(limits=2, user_api="blas"):
        with pytest.raises(ValueError, match="mine"), one_thread():
            raise ValueError("mine")
        assert threads() == {2}
