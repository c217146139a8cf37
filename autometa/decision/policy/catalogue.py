"""The policies by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from autometa.decision.policy._base import Policy
from autometa.decision.policy.baselines import (
    NearestTasksPolicy,
    RandomPolicy,
    SingleBestPolicy,
    StaticPortfolioPolicy,
)
from autometa.decision.policy.proximity import ProximityPolicy
from autometa.foundation.errors import ParameterError

__all__ = ["POLICIES", "get_policy"]

POLICIES: Mapping[str, type[Policy]] = MappingProxyType(
    {
        policy.name: policy
        for policy in (
            ProximityPolicy,
            StaticPortfolioPolicy,
            NearestTasksPolicy,
            SingleBestPolicy,
            RandomPolicy,
        )
    }
)


def get_policy(name: str) -> Policy:
    """Return an unfitted policy with default parameters.

    Parameters
    ----------
    name : str

    Returns
    -------
    Policy

    Raises
    ------
    ParameterError
        If no policy has that name.
    """
    if name not in POLICIES:
        raise ParameterError(f"policy must be one of {list(POLICIES)}; got {name!r}.", policy=name)
    return POLICIES[name]()
