"""Masks of line gratings: stripes as long as asked for, two halves with a shift between them."""

import copy

import numpy as np
import pytest

from cavitydesign import masks
from cavitydesign.errors import InputError
from tests.geometry.contents import CONTENT


def spec(**field):
    design = copy.deepcopy(CONTENT["grating"])
    design["device"] = {**design["device"], **field.pop("device", {})}
    content = {"name": "f", "design": design, "length_um": 40.0, "label": "{period}", **field}
    return masks.mask_from_dict({"name": "m", "database_unit_nm": 0.5, "fields": [content]})


def arrays(layout):
    return [device.array for device in layout.devices if device.array is not None]


def test_stripes_have_their_width_and_their_length(tmp_path):
    layout = masks.build(spec(periods_nm=[400.0, 420.0], periods=300))
    for record, period in zip(arrays(layout), (400.0, 420.0), strict=True):
        assert record.count == 300
        assert record.drawn == "ridges"
        (outline,) = record.outlines_nm
        assert np.ptp(outline, axis=0) == pytest.approx([0.4 * period, 40_000.0])
        assert record.feature_area_nm2 / record.cell_area_nm2 == pytest.approx(0.4)
    device = next(device for device in layout.devices if device.kind == "array")
    assert device.size_um == pytest.approx((120.0, 40.0))
    manifest = masks.write(layout, tmp_path / "m.gds")
    assert masks.read_back(manifest.path, layout).ok


def test_a_side_gives_length_and_number():
    (record,) = arrays(masks.build(spec(side_um=84.0, length_um=None)))
    assert record.count == 200
    assert np.ptp(record.outlines_nm[0], axis=0)[1] == pytest.approx(84_000.0)
    (record,) = arrays(masks.build(spec(side_um=84.0)))
    assert record.count == 200
    assert np.ptp(record.outlines_nm[0], axis=0)[1] == pytest.approx(40_000.0)


def test_a_shift_stands_between_two_halves(tmp_path):
    layout = masks.build(spec(device={"shift_periods": 0.25}, periods=101))
    (record,) = arrays(layout)
    (first, n, *_), (second, m, *_) = record.sublattices
    assert (n, m) == (50, 51)
    assert second[0] - first[0] == pytest.approx(50.25 * 420.0)
    assert first[0] == pytest.approx(-(second[0] + 50 * 420.0))
    manifest = masks.write(layout, tmp_path / "m.gds")
    assert masks.read_back(manifest.path, layout).ok
    assert not [fault for fault in masks.check(layout) if fault.severity == "error"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"length_um": None}, "length_um: lines need their length, or a side_um"),
        ({"periods": [3, 3]}, "a line lattice takes one number of periods"),
        ({"periods": 3, "device": {"shift_periods": 0.5}}, "4 periods at least"),
    ],
)
def test_what_lines_cannot_be(field, told):
    with pytest.raises(InputError) as caught:
        masks.build(spec(**field))
    assert told in str(caught.value)


def test_a_length_is_for_lines():
    content = {"name": "f", "design": CONTENT["pcsel"], "periods": [3, 3], "length_um": 10.0, "label": "x"}
    with pytest.raises(InputError, match=r"fields.0.length_um: is for a line lattice, got 10.0"):
        masks.mask_from_dict({"name": "m", "fields": [content]})
