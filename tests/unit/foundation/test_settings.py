"""Settings from the environment and from contexts."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from autometa.foundation.errors import ParameterError
from autometa.foundation.settings import Settings, get_settings, settings_context


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("AUTOMETA_")]:
        monkeypatch.delenv(name)


def test_defaults():
    settings = get_settings()
    assert settings == Settings()
    assert settings.cache_directory.is_absolute()
    assert (settings.knowledge, settings.offline, settings.plugins) == (None, False, None)
    assert settings.openml_server.startswith("https://www.openml.org")


def test_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOMETA_CACHE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("AUTOMETA_KNOWLEDGE", "~/kb")
    monkeypatch.setenv("AUTOMETA_OFFLINE", "true")
    monkeypatch.setenv("AUTOMETA_PLUGINS", "a,b")
    settings = get_settings()
    assert settings.cache_directory == tmp_path
    assert settings.knowledge == Path.home() / "kb"
    assert (settings.offline, settings.plugins) == (True, "a,b")


def test_empty_variables_count_as_not_set_but_no_plugins_means_none(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.setenv(f"AUTOMETA_{name.upper()}", "")
    assert get_settings() == Settings(plugins="")


def test_wrong_values_say_where_they_come_from(monkeypatch):
    monkeypatch.setenv("AUTOMETA_OFFLINE", "perhaps")
    with pytest.raises(ParameterError, match=r"the environment \(AUTOMETA_\*\) are not valid: offline: .*boolean"):
        get_settings()


def test_contexts_nest_and_end(monkeypatch):
    monkeypatch.setenv("AUTOMETA_PLUGINS", "a")
    with settings_context(offline=True) as outer:
        assert outer.offline
        assert get_settings().plugins == "a"
        with settings_context(plugins=None):
            assert (get_settings().offline, get_settings().plugins) == (True, None)
        assert get_settings().plugins == "a"
    assert not get_settings().offline


def test_a_context_ends_with_an_error_too():
    with pytest.raises(RuntimeError), settings_context(offline=True):
        raise RuntimeError
    assert not get_settings().offline


@pytest.mark.parametrize("changes", [{"offlin": True}, {"offline": "perhaps"}])
def test_contexts_check_names_and_values(changes):
    with (
        pytest.raises(ParameterError, match="Settings from settings_context are not valid: offlin"),
        settings_context(**changes),
    ):
        pytest.fail("the block must not be entered")


def test_contexts_are_of_one_thread():
    seen = []
    with settings_context(offline=True):
        thread = threading.Thread(target=lambda: seen.append(get_settings().offline))
        thread.start()
        thread.join()
    assert seen == [False]


def test_settings_do_not_change():
    with pytest.raises(ValueError, match="frozen"):
        get_settings().offline = True
