"""autometa: which learner with which hyperparameters will do best on a table, how sure, and why.

>>> import autometa
>>> from sklearn.datasets import load_wine
>>> recommendation = autometa.recommend(load_wine(as_frame=True))
>>> model = recommendation.fit()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autometa.foundation.lazy import lazy_attributes

if TYPE_CHECKING:
    from autometa.components.knowledge import KnowledgeBase
    from autometa.components.neural.backbone import BackboneClassifier, BackboneRegressor
    from autometa.domain.backbones import EncoderBackbone, ImageEncoder
    from autometa.domain.columns import ColumnRole
    from autometa.domain.strategy import Candidate, Configuration, Strategy
    from autometa.domain.task import Task, TaskType
    from autometa.engine.estimators import AutoMetaClassifier, AutoMetaRegressor
    from autometa.engine.inputs import as_task
    from autometa.engine.persistence import load_model, save_model
    from autometa.engine.recommend import recommend
    from autometa.engine.recommendation import Recommendation
    from autometa.foundation.errors import AutoMetaError, AutoMetaWarning
    from autometa.foundation.settings import Settings, get_settings, settings_context
    from autometa.plugins.hookspecs import hookimpl

    __version__: str

__all__ = [
    "AutoMetaClassifier",
    "AutoMetaError",
    "AutoMetaRegressor",
    "AutoMetaWarning",
    "BackboneClassifier",
    "BackboneRegressor",
    "Candidate",
    "ColumnRole",
    "Configuration",
    "EncoderBackbone",
    "ImageEncoder",
    "KnowledgeBase",
    "Recommendation",
    "Settings",
    "Strategy",
    "Task",
    "TaskType",
    "as_task",
    "get_settings",
    "hookimpl",
    "load_model",
    "recommend",
    "save_model",
    "settings_context",
]

# Loaded on first use, so that `import autometa` costs next to nothing and imports no learner.
_HOMES = {
    "AutoMetaClassifier": "engine.estimators",
    "AutoMetaError": "foundation.errors",
    "AutoMetaRegressor": "engine.estimators",
    "AutoMetaWarning": "foundation.errors",
    "BackboneClassifier": "components.neural.backbone",
    "BackboneRegressor": "components.neural.backbone",
    "Candidate": "domain.strategy",
    "ColumnRole": "domain.columns",
    "Configuration": "domain.strategy",
    "EncoderBackbone": "domain.backbones",
    "ImageEncoder": "domain.backbones",
    "KnowledgeBase": "components.knowledge",
    "Recommendation": "engine.recommendation",
    "Settings": "foundation.settings",
    "Strategy": "domain.strategy",
    "Task": "domain.task",
    "TaskType": "domain.task",
    "as_task": "engine.inputs",
    "get_settings": "foundation.settings",
    "hookimpl": "plugins.hookspecs",
    "load_model": "engine.persistence",
    "recommend": "engine.recommend",
    "save_model": "engine.persistence",
    "settings_context": "foundation.settings",
}
if not TYPE_CHECKING:
    _public, _names = lazy_attributes(__name__, _HOMES)

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version("autometa-ml")
        return _public(name)

    def __dir__() -> list[str]:
        return sorted([*_names(), "__version__"])
