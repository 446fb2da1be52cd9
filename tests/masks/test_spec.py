"""Reading masks: ranges, paths, names; whatever a user writes gives a mask or one line."""

import re

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from cavitydesign import masks
from cavitydesign.errors import InputError, InputErrors
from cavitydesign.masks.spec import expand_numbers


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (320, (320,)),
        ("320:460:20", (320.0, 340.0, 360.0, 380.0, 400.0, 420.0, 440.0, 460.0)),
        ("320:350:20", (320.0, 340.0)),  # the end is included only where a step lands on it
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),  # binary steps would end at 0.30000000000000004 or miss it
        ("5:5:1", (5.0,)),
        ([1, 2], [1, 2]),
    ],
)
def test_numbers_are_a_value_a_list_or_a_range(written, meant):
    assert expand_numbers(written) == meant


@pytest.mark.parametrize(
    "written", ["1:2", "a:b:c", "1:2:0", "1:2:-1", "2:1:1", "nan:1:1", "0:1e99:1", "0:1e6:1e-3", True]
)
def test_a_range_that_makes_no_sense_is_refused(written):
    with pytest.raises(ValueError, match=r"range|number"):
        expand_numbers(written)


BAD = [
    ({"name": "../evil"}, "name", "letters"),
    ({"name": "a/b"}, "name", "letters"),
    ({"name": ""}, "name", "letters"),
    ({"database_unit_nm": 0.3}, "database_unit_nm", "divide"),
    ({"database_unit_nm": 2.0}, "database_unit_nm", "must be ≤"),
    ({"database_unit_nm": float("nan")}, "database_unit_nm", ""),
    ({"circle_vertices": 65}, "circle_vertices", "multiple"),
    ({"chip": {"size_um": [1.5e5, 1e3]}, "database_unit_nm": 0.1}, "database_unit_nm", "32-bit"),
    ({"chip": {"size_um": [-5.0, 10.0]}}, "chip.size_um.0", "must be (>|≥)"),
    ({"chip": {"margin_um": 10.0}}, "chip", "frame_width_um"),
    ({"chip": {"size_um": [200.0, 900.0]}}, "chip", "no room"),
    ({"title": "µm"}, "title", "ASCII"),
    ({"layers": {"label": [1, 0]}}, "layers", "is also"),
    ({"layers": {"pattern": [2, 0], "label": [2, 1]}, "field_doses": [0.9, 1.0]}, "layers.pattern", "taken"),
    ({"colour": "red"}, "colour", "unknown key"),
    ({"fields": []}, "", "needs"),
    ({"fields": [3]}, "fields.0", ""),
    ({"field_name": "a b"}, "fields.0.name", "letters"),
    ({"field_periods": [0, 4]}, "fields.0.periods.0", "must be (>|≥)"),
    ({"field_periods": None}, "fields.0", "side_um or periods"),
    ({"field_side_um": 10.0}, "fields.0", "not both"),
    ({"field_periods_nm": "1:2"}, "fields.0.periods_nm", "range"),
    ({"field_periods_nm": [300.0, 300.0]}, "fields.0", "once"),
    ({"field_doses": []}, "fields.0.doses", ""),
    ({"field_label": "{prize}"}, "fields.0", "placeholder"),
    ({"field_label": "{wavelength}"}, "fields.0", "wavelengths_nm"),
    ({"field_label": "{value}"}, "fields.0", "vary"),
    ({"field_wavelengths_nm": [600.0, 610.0]}, "fields.0", "one number per period"),
    ({"field_design": None}, "fields.0.design", "required"),
    ({"field_design": 7}, "fields.0.design", ""),
    ({"field_design": "/etc/passwd.toml"}, "fields.0.design", "relative"),
    ({"field_design": "../../../x.toml"}, "fields.0.design", "relative"),
    ({"field_design": "x.csv"}, "fields.0.design", "relative"),
    ({"field_design": "a\0.toml"}, "fields.0.design", "relative"),
    ({"field_design": "missing.toml"}, "", "no such file"),
    ({"field_design": {"family": "maser"}}, "fields.0.design.family", "one of"),
    ({"marks": {"cross_um": 10.0, "width_um": 9.0}}, "marks", "quarter"),
    ({"windows": [{"label": "w", "size_um": [1.0, 0.0]}]}, "windows.0.size_um.1", "must be (>|≥)"),
    ({"witness": {"widths_nm": [-1.0]}}, "witness.widths_nm.0", "must be (>|≥)"),
]


@pytest.mark.parametrize(("changes", "key", "rule"), BAD)
def test_bad_input_names_key_and_rule(content, tmp_path, changes, key, rule):
    with pytest.raises(InputError) as caught:
        masks.mask_from_dict(content(**changes), base_dir=tmp_path / "a" / "b")
    assert key in (caught.value.key or "") or key in str(caught.value)
    assert re.search(rule, str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"diameters_um": [100.0, 100.0]}, "once"),
        ({"diameters_um": [15.0]}, "no film"),
        ({"vents": 24, "vent_um": 30.0}, "half"),
        ({"label": "{period}"}, "placeholder"),
    ],
)
def test_apertures_that_cannot_be_are_refused(cavity, changes, rule):
    item = {"name": "a", "design": cavity(), "diameters_um": [200.0], **changes}
    with pytest.raises(InputError, match=rule):
        masks.mask_from_dict({"name": "m", "apertures": [item]})


def test_families_go_where_they_belong(content, circles, cavity):
    with pytest.raises(InputError, match="apertures"):
        masks.mask_from_dict(content(cavity()))
    with pytest.raises(InputError, match="between two mirrors"):
        masks.mask_from_dict(
            {"name": "m", "apertures": [{"name": "a", "design": circles(), "diameters_um": [200.0]}]}
        )


MASK = """
name = "m"
[[fields]]
name = "f"
design = "{design}"
periods = [3, 3]
"""
DESIGN = """
name = "d"
family = "stack"
[lattice]
period_nm = 360.0
[[layers]]
material = { n = 1.0 }
[[layers]]
material = { n = 2.0 }
thickness_nm = 170.0
  [[layers.inclusions]]
  shape = "circle"
  radius_nm = 110.0
  material = { n = 1.8 }
[[layers]]
material = { n = 1.46 }
"""


def test_a_design_is_found_relative_to_the_mask(tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "d.toml").write_text(DESIGN)
    path = tmp_path / "masks" / "m.toml"
    path.write_text(MASK.replace("{design}", "../d.toml"))
    spec = masks.load_mask(path)
    assert spec.fields[0].design.name == "d"
    path.write_text(MASK.replace("{design}", "../../d.toml"))
    with pytest.raises(InputError, match=r"m\.toml: fields\.0\.design: must be a relative path"):
        masks.load_mask(path)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "home" / "masks").mkdir(parents=True)
    (tmp_path / "secret.toml").write_text(DESIGN)
    (tmp_path / "home" / "link.toml").symlink_to(tmp_path / "secret.toml")
    path = tmp_path / "home" / "masks" / "m.toml"
    path.write_text(MASK.replace("{design}", "../link.toml"))
    with pytest.raises(InputError, match="relative path"):
        masks.load_mask(path)


def test_errors_name_the_file_that_is_wrong(tmp_path):
    path = tmp_path / "m.toml"
    with pytest.raises(InputError, match=r"m\.toml: there is no such file"):
        masks.load_mask(path)
    path.write_text("name = ")
    with pytest.raises(InputError, match=r"m\.toml: is not valid TOML"):
        masks.load_mask(path)
    path.write_text(MASK.replace("{design}", "d.toml"))
    (tmp_path / "d.toml").write_text(DESIGN.replace("110.0", "-110.0"))
    with pytest.raises(InputError, match=r"d\.toml: .*radius_nm.*got -110\.0"):
        masks.load_mask(path)


def test_the_id_covers_the_design(spec, circles):
    first, same, other = spec(circles()), spec(circles()), spec(circles(radius_nm=110.0000001))
    assert first.id == same.id != other.id


numbers = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(min_value=-10.0, max_value=2000.0),
    st.integers(min_value=-3, max_value=500),
    st.text(max_size=8),
    st.lists(st.floats(min_value=1.0, max_value=900.0), max_size=4),
    st.booleans(),
    st.sampled_from(["300:320:10", "300:301:0.3", "{period} x", "inverse", "rectangle", "../x.toml", None]),
    st.fixed_dictionaries({"key": st.sampled_from(["lattice.period_nm", "layers.1.thickness_nm", "layers.1.x", "film"]),
                           "values": st.lists(st.floats(min_value=10.0, max_value=300.0), min_size=1, max_size=2)}),
)  # fmt: skip
field_keys = st.sampled_from(
    [
        "name",
        "design",
        "design_layer",
        "periods_nm",
        "side_um",
        "periods",
        "vary",
        "doses",
        "tone",
        "bias_nm",
        "boundary",
        "gap_um",
        "label",
        "nonsense",
    ]
)
mask_keys = st.sampled_from(
    [
        "name",
        "title",
        "database_unit_nm",
        "circle_vertices",
        "chip",
        "layers",
        "rules",
        "labels",
        "marks",
        "scale_bar_um",
        "windows",
        "nonsense",
    ]
)


@given(
    in_field=st.dictionaries(field_keys, numbers, max_size=3),
    in_mask=st.dictionaries(mask_keys, numbers, max_size=2),
    kind=st.sampled_from(["square", "hexagonal"]),
    period=st.floats(min_value=150.0, max_value=900.0),
    radius=st.floats(min_value=0.01, max_value=500.0),
    unit=st.sampled_from([1.0, 0.5, 0.1, 0.01]),
)
def test_any_mask_gives_a_layout_or_one_line(content, circles, in_field, in_mask, kind, period, radius, unit):
    written = content(circles(kind=kind, period_nm=period, radius_nm=radius), database_unit_nm=unit)
    written["fields"][0] |= in_field
    written |= in_mask
    try:
        layout = masks.build(masks.mask_from_dict(written))
    except InputError as error:
        refused = str(error)
    else:
        refused = ""
    event("refused" if refused else "drawn")
    if refused:
        assert "\n" not in refused
        assert len(refused) > 10
        return
    for device in layout.devices:
        if device.array is not None:
            assert layout.spec.database_unit_nm * 1.6 >= device.array.position_error_nm
    masks.check(layout)


plausible_fields = st.fixed_dictionaries(
    {},
    optional={
        "tone": st.sampled_from(["feature", "inverse"]),
        "boundary": st.sampled_from(["parallelogram", "rectangle"]),
        "bias_nm": st.floats(-40.0, 40.0),
        "doses": st.lists(st.sampled_from([0.8, 0.9, 1.0, 1.2]), min_size=1, max_size=3, unique=True),
        "periods_nm": st.sampled_from([310.0, "310:350:20", [300.0, 333.3], "300:301:0.25"]),
        "vary": st.sampled_from(
            [
                {"key": "layers.1.inclusions.0.radius_nm", "values": "60:100:20"},
                {"key": "layers.1.thickness_nm", "values": [100.0]},
            ]
        ),
        "gap_um": st.floats(0.0, 100.0),
        "label": st.sampled_from(["", " ", "{period} nm", "{dose}~{periods}", "}{"]),
    },
)
plausible_masks = st.fixed_dictionaries(
    {},
    optional={
        "circle_vertices": st.sampled_from([8, 12, 64, 196]),
        "title": st.text(alphabet="Aq0 .,-#", max_size=12),
        "chip": st.sampled_from(
            [
                {"size_um": [300.0, 2000.0]},
                {"size_um": [9e4, 9e4]},
                {"size_um": [900.0, 900.0], "frame_width_um": 0.0},
            ]
        ),
        "labels": st.sampled_from([{"size_um": 1.0}, {"size_um": 50.0, "distance_um": 0.0}]),
        "scale_bar_um": st.floats(0.01, 1000.0),
        "witness": st.sampled_from(
            [{"widths_nm": [0.01, 50.0]}, {"widths_nm": "100:500:100", "layer": "film"}]
        ),
        "windows": st.just([{"label": "W", "size_um": [10.0, 20.0], "count": 3}]),
    },
)


@given(
    in_field=plausible_fields,
    in_mask=plausible_masks,
    kind=st.sampled_from(["square", "hexagonal"]),
    period=st.one_of(st.integers(200, 600).map(float), st.floats(200.0, 600.0)),
    fill=st.floats(0.1, 0.95),
    unit=st.sampled_from([1.0, 0.1]),
    suffix=st.sampled_from([".gds", ".oas"]),
)
def test_what_can_be_drawn_is_written_and_reads_back(
    content, circles, tmp_path_factory, in_field, in_mask, kind, period, fill, unit, suffix
):
    written = content(
        circles(kind=kind, period_nm=period, radius_nm=0.5 * fill * period), database_unit_nm=unit
    )
    written["fields"][0] |= in_field
    written |= in_mask
    try:
        layout = masks.build(masks.mask_from_dict(written))
    except InputError as error:
        event("refused: " + error.message[:40])
        return
    event("drawn")
    for violation in masks.check(layout):
        assert str(violation).count("\n") == 0
        assert violation.value >= 0.0
    path = tmp_path_factory.mktemp("masks") / f"m{suffix}"
    assert masks.read_back(masks.write(layout, path).path, layout).problems == ()


def test_every_bad_design_of_a_mask_is_told(circles):
    good, bad = circles(), {**circles(), "nam": 3, "window": 4}
    fields = [
        {"name": f"f{i}", "design": design, "periods": [3, 3]} for i, design in enumerate((good, bad, bad))
    ]
    with pytest.raises(InputErrors) as caught:
        masks.mask_from_dict({"name": "m", "fields": fields})
    keys = [complaint.key for complaint in caught.value.complaints]
    assert keys == [f"fields.{i}.design.{name}" for i in (1, 2) for name in ("nam", "window")]
    assert str(caught.value).endswith("(and 3 more)")


def test_a_fault_that_fields_share_is_told_once_and_hides_no_other(tmp_path, circles):
    (tmp_path / "d.toml").write_text(DESIGN.replace("radius_nm = 110.0", "radius = 110.0"))
    (tmp_path / "t.csv").write_text("wavelength_nm,m\n500,1.5\n")
    inline = {**circles(), "materials": {"glass": {"table": "t.csv"}}}
    fields = [
        {"name": f"f{i}", "design": design, "periods": [3, 3]}
        for i, design in enumerate(("d.toml", "d.toml", inline, inline))
    ]
    with pytest.raises(InputErrors) as caught:
        masks.mask_from_dict({"name": "m/n", "fields": fields, "colour": 1}, base_dir=tmp_path)
    told = [(complaint.file, complaint.key) for complaint in caught.value.complaints]
    assert told == [
        (tmp_path / "d.toml", "layers.1.inclusions.0.radius"),
        (tmp_path / "t.csv", "materials.glass.table"),
        (None, "colour"),
        (None, "name"),
    ]
