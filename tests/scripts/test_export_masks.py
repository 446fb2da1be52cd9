"""The script that writes all masks, and the masks that are shipped."""

import json

import pytest

from cavitydesign import masks
from scripts.export_masks import HERE, main

SHIPPED = sorted((HERE / "layouts" / "masks").glob("*.toml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("masks")
    assert main(["--out", str(path)]) == 0
    return path


def test_every_shipped_mask_is_written_twice_with_its_manifest(folder):
    names = {path.stem for path in SHIPPED}
    assert {"nanopillar", "pcsel", "two_mirror"} <= names
    wanted = {
        f"{name}.{ending}{more}"
        for name in names
        for ending in ("gds", "oas")
        for more in ("", ".manifest.json")
    }
    assert {path.name for path in folder.iterdir()} == wanted
    assert sum(path.stat().st_size for path in folder.glob("*.gds")) < 1_000_000  # 22 million features


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_masks_keep_the_rules(path):
    spec = masks.load_mask(path)
    assert spec.name == path.stem
    assert masks.check(masks.build(spec)) == []


def test_shipped_masks_hold_the_published_periods(folder):
    def periods(name):
        content = json.loads((folder / f"{name}.gds.manifest.json").read_text())
        return {device["period_nm"] for device in content["devices"] if "period_nm" in device}

    assert {315.0, 335.0, 365.0} <= periods("nanopillar")
    assert set(range(320, 461, 10)) <= periods("pcsel")


def test_a_broken_rule_fails_and_says_where(tmp_path, capsys):
    text = (
        (HERE / "layouts" / "masks" / "pcsel.toml")
        .read_text()
        .replace("min_feature_nm = 100.0", "min_feature_nm = 300.0")
    )
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "strict.toml").write_text(text)
    (tmp_path / "pcsel.toml").write_bytes((HERE / "layouts" / "pcsel.toml").read_bytes())
    arguments = ["--layouts", str(tmp_path / "masks"), "--out", str(tmp_path / "out"), "--format", "gds"]
    assert main(arguments) == 1
    assert "error: min_feature: LASERS_R1C1 at (" in capsys.readouterr().err


def test_wrong_input_is_one_line(tmp_path, capsys):
    assert main(["--layouts", str(tmp_path)]) == 2
    (tmp_path / "m.toml").write_text("name = 3")
    assert main(["--layouts", str(tmp_path), "--out", str(tmp_path)]) == 2
    assert "m.toml: name" in capsys.readouterr().err
