"""Plugins that do everything wrong, written to a folder as if they were installed there."""

from __future__ import annotations

from pathlib import Path

__all__ = ["ROGUES", "write_rogues"]

COMMON = """
import os, time
from sklearn.dummy import DummyClassifier, DummyRegressor
from autometa import Configuration, Strategy, hookimpl


class Plain(Strategy):
    name = "plain"

    def search_space(self, task):
        return {}

    def portfolio(self, task):
        return [Configuration(a=1)]

    def build(self, configuration, task, *, device="auto", random_state=None):
        return self.learner(task)

    def learner(self, task):
        return DummyClassifier() if task.is_classification else DummyRegressor()


def called(name, **members):
    return type(name.capitalize(), (Plain,), {"name": name, "__module__": __name__, **members})
"""

# Name of the plugin -> its module, after what all have in common.
ROGUES = {
    "broken": "raise ImportError('a library that is not there')",
    "leaving": "raise SystemExit('I leave')",
    "slow": """
time.sleep(0.25)
Slow = called("slow_learner")

@hookimpl
def register_strategies(register):
    register(Slow())
""",
    "half": """
@hookimpl
def register_strategies(register):
    register(called("half_one")())
    raise RuntimeError("in the middle")

@hookimpl
def register_commands(application):
    application.command("half")(lambda: None)
""",
    "thief": """
Thief = called("linear")
Mine = called("shared")

@hookimpl
def register_strategies(register):
    register(Thief())
    register(Mine())

@hookimpl
def register_commands(application):
    application.command("recommend")(lambda: print("stolen"))
""",
    "other": """
Mine = called("shared")

@hookimpl
def register_strategies(register):
    register(Mine())
""",
    "liar": """
from pathlib import Path

@hookimpl
def register_knowledge(register):
    register(Path(__file__).parent / "liar_knowledge")
""",
    "vague": """
@hookimpl
def register_metafeatures(register):
    register(["fails"], lambda task: {})
""",
    "violent": """
class ExitingClassifier(DummyClassifier):
    def fit(self, X, y):
        os._exit(7)


class LeakingClassifier(DummyClassifier):
    def fit(self, X, y):
        hoard = []
        while True:
            hoard.append(os.urandom(1) * 1_000_000)
            time.sleep(0.0005)


class EndlessClassifier(DummyClassifier):
    def fit(self, X, y):
        while len(X) > 60:  # the first fit, on few rows, only imports what the learner needs
            time.sleep(0.01)
        return super().fit(X, y)


def fail(self, task):
    raise ZeroDivisionError("on purpose")


EXITING = called("exiting", learner=lambda self, task: ExitingClassifier())
LEAKING = called("leaking", learner=lambda self, task: LeakingClassifier())
ENDLESS = called("endless", learner=lambda self, task: EndlessClassifier())
MOODY = called("moody", supports=lambda self, task: fail(self, task) if task.n_features > 2 else None)
EMPTY_HANDED = called("empty_handed", portfolio=fail)
for each in (EXITING, LEAKING, ENDLESS, MOODY, EMPTY_HANDED):
    globals()[each.__name__] = each

@hookimpl
def register_strategies(register):
    for each in (EXITING, LEAKING, ENDLESS, MOODY, EMPTY_HANDED):
        register(each())
""",
}


def write_rogues(folder: Path) -> Path:
    """Write the modules with their metadata; the folder is to be put on the path."""
    for name, body in ROGUES.items():
        (folder / f"rogue_{name}.py").write_text(COMMON + body)
        _write_metadata(folder, f"autometa-{name}", f"{name} = rogue_{name}")
    _write_metadata(folder, "aaa-impostor", "slow = rogue_other")
    (folder / "liar_knowledge").mkdir()
    (folder / "liar_knowledge" / "manifest.json").write_text('{"schema_version": 99}')
    return folder


def _write_metadata(folder: Path, distribution: str, entry_point: str) -> None:
    information = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[autometa]\n{entry_point}\n")
