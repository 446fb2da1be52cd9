"""``cavitydesign new`` and ``cavitydesign schema``; a mask given a design, a design given a mask."""

from __future__ import annotations

import pytest

from cavitydesign import load_design
from cavitydesign.geometry import templates
from cavitydesign.geometry.families import families
from tests.cli.running import LAYOUTS, command


@pytest.mark.parametrize("name", templates.names())
def test_what_new_writes_is_taken_as_it_is(tmp_path, name):
    file = tmp_path / f"{name}.toml"
    ran = command("new", name, file, "--json")
    assert ran.code == 0
    assert ran.json == {"family": name, "file": str(file)}
    assert file.read_text().startswith("#"), "commented"
    if name == "mask":
        assert command("check", file).code == 0
    else:
        assert load_design(file).family == name


def test_new_overwrites_only_on_request(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("# mine\n")
    ran = command("new", "stack", file)
    assert ran.code == 2
    assert "--force" in ran.one_line()
    assert file.read_text() == "# mine\n"
    assert command("new", "stack", file, "--force").code == 0
    assert file.read_text() == templates.text("stack")


def test_an_unknown_family_names_those_there_are(tmp_path):
    ran = command("new", "sponge", tmp_path / "mine.toml")
    assert ran.code == 2
    assert "sponge" in ran.one_line()
    for name in templates.names():
        assert name in ran.one_line()
    assert not (tmp_path / "mine.toml").exists()
    assert command("schema", "sponge").code == 2


def test_new_refuses_what_no_command_would_read(tmp_path):
    assert "must end in .toml" in command("new", "stack", tmp_path / "mine.json").one_line()


def test_schema_is_a_json_document():
    one = command("schema", "pcsel").json
    assert one["properties"]["family"]
    assert command("schema", "pcsel", "--json").json == one
    assert one in command("schema").json["oneOf"]
    assert len(command("schema").json["oneOf"]) == len(families())


def test_a_mask_given_a_design_and_the_reverse_say_so(tmp_path):
    ran = command("mask", LAYOUTS / "pcsel.toml", "--out", tmp_path / "m.gds")
    assert ran.code == 2
    assert "design, not a mask" in ran.one_line()
    for name in ("modes", "predict"):
        ran = command(name, LAYOUTS / "masks" / "pcsel.toml")
        assert ran.code == 2
        assert "mask, not a design" in ran.one_line()
