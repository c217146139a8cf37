"""Pretrained encoders come from plugins, under names that no two of them share."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from autometa import hookimpl
from autometa.cli import plugins
from autometa.cli.application import application
from autometa.domain.backbones import EncoderBackbone
from autometa.foundation.errors import ParameterError, PluginWarning
from tests.unit.plugins.fakes import GOOD, Point, backbone, encoding, load


def test_backbones_are_registered_with_a_record():
    found = load(GOOD, Point("more", encoding(backbone("small"), backbone("large", "text"))))
    assert list(found.backbones) == ["small", "large"]
    assert [record.backbones for record in found.records] == [(), ("small", "large")]
    assert found.backbone("more:small") is found.backbone("small")
    with pytest.raises(ParameterError, match=r"No backbone is called 'x'; installed are \['large', 'small'\]"):
        found.backbone("x")


def test_two_plugins_with_the_same_backbone_do_not_knock_each_other_out():
    found = load(Point("a", encoding(backbone("net"))), Point("b", encoding(backbone("net"), backbone("other"))))
    assert list(found.backbones) == ["a:net", "b:net", "other"]
    assert found.backbone("b:net").name == "net"
    with pytest.raises(ParameterError, match=r"Several plugins bring a backbone called 'net'; say which"):
        found.backbone("net")


def test_the_name_of_a_built_in_backbone_cannot_be_stolen():
    own = backbone("net")
    found = load(Point("built_in", encoding(own), "autometa-ml"), Point("thief", encoding(backbone("net"))))
    assert found.backbone("net") is own
    assert list(found.backbones) == ["net", "thief:net"]


@pytest.mark.parametrize("wrong", [lambda: "resnet", lambda: backbone("Net"), lambda: backbone("net", "sound")])
def test_a_plugin_with_a_wrong_backbone_is_left_out_whole(wrong):
    def declared():
        yield backbone("fine")
        yield wrong()

    with pytest.warns(PluginWarning, match="'bad'"):
        found = load(GOOD, Point("bad", encoding_lazily(declared)))
    assert (list(found.backbones), list(found.strategies)) == ([], ["alpha"])
    assert found.records[1].error


def encoding_lazily(declared):
    class Plugin:
        @hookimpl
        def register_backbones(self, register):
            for each in declared():
                register(each)

    return Plugin()


def test_a_name_is_registered_once_by_a_plugin():
    with pytest.warns(PluginWarning, match="already registered"):
        found = load(Point("twice", encoding(backbone("net"), backbone("net"))))
    assert not found.backbones


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"licence": " "}, "must state its licence"),
        ({"source": ""}, "must state its source"),
        ({"loader": "file.pth"}, "must be a function"),
        ({"packages": "timm"}, "a tuple of names of modules"),
        ({"packages": ("timm.models",)}, "modules without dots"),
    ],
)
def test_a_declaration_is_complete(change, expected):
    facts = {"name": "net", "modality": "image", "loader": list, "licence": "MIT", "source": "here"}
    with pytest.raises(ParameterError, match=expected):
        EncoderBackbone(**{**facts, **change})


def test_what_is_not_installed_is_said_with_the_command():
    assert backbone("net", packages=("json",)).obstacle() == ""
    lacking = backbone("net", packages=("json", "no_such_module"), install="pip install such")
    assert lacking.obstacle() == "backbone 'net' needs no_such_module, not installed here: pip install such"


def test_backbones_are_listed(monkeypatch):
    found = load(Point("more", encoding(backbone("small", packages=("no_such_module",)))))
    monkeypatch.setattr(plugins, "get_registry", lambda: found)
    (facts,) = json.loads(CliRunner().invoke(application, ["plugins", "--json"]).stdout)
    (listed,) = facts["backbones"]
    assert (listed["name"], listed["modality"], listed["licence"]) == ("small", "image", "MIT")
    assert "no_such_module" in listed["obstacle"]
    assert "small (image)" in CliRunner().invoke(application, ["plugins"]).stdout
