"""The files: bytes, array references, the geometry against gdstk's own flattening, the manifest, failures."""

import hashlib
import json
import math
import struct
import subprocess
import sys

import gdstk
import numpy as np
import pytest

from cavitydesign import masks
from cavitydesign.errors import InputError
from cavitydesign.masks import stream


def records(data):
    found, at = [], 0
    while at < len(data):
        length, kind = struct.unpack(">HH", data[at : at + 4])
        found.append((kind, data[at + 4 : at + length]))
        at += length
    return found


@pytest.mark.parametrize("value", [1e-3, 1e-9, 1e-10, 5e-4, 1.0, 16.0, 0.0625])
def test_real8(value):
    (bits,) = struct.unpack(">Q", stream._real8(value))
    mantissa, exponent = bits & (2**56 - 1), (bits >> 56) - 64
    assert mantissa / 2**56 * 16.0**exponent == pytest.approx(value, rel=2**-52)
    assert mantissa >= 2**52  # normalised


def test_real8_of_the_usual_units():
    """The two numbers that every GDSII file of 1 nm units starts with, as the format's manual prints them."""
    assert stream._real8(1e-3).hex() == "3e4189374bc6a7f0"
    assert stream._real8(1e-9).hex() == "3944b82fa09b5a54"


@pytest.mark.parametrize("suffix", [".gds", ".oas"])
def test_bytes_are_reproducible(spec, tmp_path, suffix):
    first = masks.write(masks.build(spec()), tmp_path / f"a{suffix}")
    second = masks.write(masks.build(spec()), tmp_path / "folder" / f"b{suffix}")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == hashlib.sha256(second.path.read_bytes()).hexdigest()
    third = masks.write(masks.build(spec(title="X")), tmp_path / f"c{suffix}")
    assert third.sha256 != first.sha256


def test_bytes_do_not_depend_on_the_process(spec, content, tmp_path):
    here = masks.write(masks.build(spec()), tmp_path / "a.gds")
    code = (
        "import json, sys; from cavitydesign import masks;"
        "masks.write(masks.build(masks.mask_from_dict(json.loads(sys.argv[1]))), sys.argv[2])"
    )
    there = tmp_path / "b.gds"
    subprocess.run(
        [sys.executable, "-c", code, json.dumps(content()), str(there)],
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert there.read_bytes() == here.path.read_bytes()


def test_a_large_field_is_one_array_reference(spec, tmp_path):
    manifest = masks.write(masks.build(spec(field_periods=[555, 555])), tmp_path / "m.gds")
    data = manifest.path.read_bytes()
    assert len(data) < 20_000
    arrays = [item for kind, item in records(data) if kind == 0x1302]
    assert [struct.unpack(">hh", item) for item in arrays] == [(555, 555)]


@pytest.mark.parametrize("boundary", ["parallelogram", "rectangle"])
def test_hexagonal_array_references_hold_a1_and_a2(spec, circles, tmp_path, boundary):
    layout = masks.build(
        spec(
            circles(kind="hexagonal", period_nm=400.0),
            database_unit_nm=0.001,
            field_boundary=boundary,
            field_periods=[6, 4],
        )
    )
    manifest = masks.write(layout, tmp_path / "m.gds")
    found, inside = [], False
    for kind, data in records(manifest.path.read_bytes()):
        inside = kind == 0x0B00 or (inside and kind != 0x1100)
        if inside and kind == 0x1003:
            found.append(np.array(struct.unpack(">6i", data)).reshape(3, 2))
    first = found[0]
    if boundary == "parallelogram":
        assert (first[1] - first[0]).tolist() == [6 * 400_000, 0]
        assert (first[2] - first[0]).tolist() == [4 * 200_000, 4 * 346_410]
    else:
        assert (first[2] - first[0]).tolist() == [0, 2 * 692_820]
        assert (found[1][0] - first[0]).tolist() == [200_000, 346_410]


CASES = [
    {"kind": "square"},
    {"kind": "hexagonal"},
    {"kind": "hexagonal", "field_boundary": "rectangle"},
    {"kind": "square", "field_tone": "inverse"},
    {"kind": "square", "period_nm": 333.3, "database_unit_nm": 1.0},
]


@pytest.mark.parametrize("suffix", [".gds", ".oas"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_flattened_by_gdstk_it_is_the_designed_array(spec, circles, tmp_path, suffix, case):
    """XOR of every polygon in the file against circles of 720 vertices at the exact lattice sites.

    Allowed: rim x (snapping + chord + position error), each as stated by the layout, for each copy.
    """
    changes = {name: item for name, item in case.items() if name not in ("kind", "period_nm")}
    period = case.get("period_nm", 360.0)
    layout = masks.build(spec(circles(kind=case["kind"], period_nm=period), field_periods=[8, 6], **changes))
    manifest = masks.write(layout, tmp_path / f"m{suffix}")
    library = (gdstk.read_gds if suffix == ".gds" else gdstk.read_oas)(str(manifest.path))
    (cell,) = [item for item in library.cells if item.name == "F_R1C1"]
    drawn = cell.get_polygons(layer=1, datatype=0)
    record = layout.devices[0].array
    sites = [
        np.array(first) + i * np.array(v1) + j * np.array(v2)
        for first, n1, n2, v1, v2 in record.sublattices for i in range(n1) for j in range(n2)
    ]  # fmt: skip
    assert len(sites) == 48
    angle = 2.0 * math.pi * np.arange(720) / 720
    circle = 110.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ideal = [gdstk.Polygon((circle + site) * 1e-3) for site in sites]
    if case.get("field_tone") == "inverse":
        whole = [
            gdstk.rectangle((-4 * period * 1e-3, -3 * period * 1e-3), (4 * period * 1e-3, 3 * period * 1e-3))
        ]
        ideal = gdstk.boolean(whole, ideal, "not", precision=1e-7)
    difference = sum(polygon.area() for polygon in gdstk.boolean(drawn, ideal, "xor", precision=1e-7)) * 1e6
    slack = layout.snap.vertex_nm + layout.snap.chord_nm + layout.snap.position_nm
    assert 0.0 < difference <= 48 * 2.0 * math.pi * 110.0 * slack


def test_manifest_says_what_is_in_the_file(spec, tmp_path):
    layout = masks.build(spec(field_doses=[0.9, 1.0], field_periods_nm=[350.0, 360.0]))
    manifest = masks.write(layout, tmp_path / "m.gds")
    content = json.loads(manifest.manifest_path.read_text())
    assert content == manifest.content
    assert content["sha256"] == hashlib.sha256(manifest.path.read_bytes()).hexdigest()
    assert content["bytes"] == manifest.path.stat().st_size
    assert content["mask_id"] == layout.spec.id
    assert [item.get("dose") for item in content["layers"] if item["name"].startswith("pattern")] == [
        0.9,
        1.0,
    ]
    assert [device["period_nm"] for device in content["devices"]] == [350.0, 360.0, 350.0, 360.0]
    device = content["devices"][1]
    assert device["count"] == 20
    assert device["fill_factor_designed"] == pytest.approx(math.pi * 110.0**2 / 360.0**2, rel=1e-12)
    assert device["fill_factor"] == pytest.approx(device["fill_factor_designed"], abs=5e-4)
    copies = {cell["name"]: cell["copies"] for cell in content["cells"]}
    assert copies["F_R1C1"] == 20
    assert copies["CHIP"] == 5


def test_wrong_endings_and_folders_are_refused(spec, tmp_path):
    layout = masks.build(spec())
    with pytest.raises(InputError, match=r"\.gds or \.oas"):
        masks.write(layout, tmp_path / "m.dxf")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        masks.write(layout, tmp_path / "file" / "m.gds")


def test_a_failed_write_leaves_the_old_file_and_no_parts(spec, tmp_path, monkeypatch):
    layout = masks.build(spec())
    path = tmp_path / "m.gds"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(InputError, match="No space left"):
        masks.write(layout, path)
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["m.gds"]


def test_text_elements_name_the_devices(spec, tmp_path):
    manifest = masks.write(masks.build(spec()), tmp_path / "m.gds")
    top = gdstk.read_gds(str(manifest.path)).top_level()
    assert [cell.name for cell in top] == ["CHIP"]
    assert "F_R1C1" in {label.text for label in top[0].get_labels()}


def test_gdstk_is_not_imported_before_it_is_needed():
    code = "import sys, cavitydesign.masks; sys.exit('gdstk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
