"""Whatever a file holds, loading gives a design or one line that names file, key, rule and value."""

import copy
import math
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.geometry import Design, design_from_dict, load_design
from cavitydesign.geometry.load import read_columns
from tests.geometry.contents import CONTENT

LAYOUTS = Path(__file__).parents[2] / "layouts"
HEAD = 'name = "x"\nfamily = "stack"\n'
LAYERS = (
    "[[layers]]\nmaterial = {{ n = 1.0 }}\n"
    "[[layers]]\nmaterial = {}\nthickness_nm = 60.0\n"
    "[[layers]]\nmaterial = {{ n = 1.46 }}\n"
)


@pytest.mark.parametrize("name", ["grating", "nanopillar", "pcsel", "two_mirror"])
def test_published_designs_load_and_say_what_is_assumed(name):
    design = load_design(LAYOUTS / f"{name}.toml")
    assert design.assumed()
    assert all(
        record.source in ("published", "assumed", "measured", "fitted", "given")
        for record in design.all_sources()
    )
    assert design_from_dict(design.model_dump(mode="json"), base_dir=LAYOUTS) == design


def failing(tmp_path, text):
    path = tmp_path / "bad.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_design(path)
    assert len(str(caught.value).splitlines()) == 1
    return caught.value, str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "family: this key is required"),
        ("name = ", "is not valid TOML"),
        ("a = " + "9" * 5000, "is not valid TOML"),
        ("a = " + "[" * 5000, "is nested too deeply"),
        (
            'family = "vcsel"',
            "family: must be one of grating, nanopillar_array, pcsel, stack, ",
        ),
        ("family = 3", "family: must be one of"),
        (HEAD, "layers: this key is required and is missing"),
        (HEAD + "layers = 3", "layers: must be a list, got 3"),
        (HEAD + "layers = []", "layers: must have at least 2 entries, not 0"),
        (
            HEAD + "thickness = 3\n" + LAYERS.format("{ n = 1.85 }"),
            "thickness: unknown key; check its spelling, got 3",
        ),
        (HEAD + LAYERS.format("{ n = nan }"), "layers.1.material.n: must be a finite number, got nan"),
        (HEAD + LAYERS.format("{ n = -1.5 }"), "layers.1.material.n: must be > 0, got -1.5"),
        (HEAD + LAYERS.format("{ n = true }"), "layers.1.material.n: must be a number, got True"),
        (HEAD + LAYERS.format("{ n = 1.5, m = 1 }"), "layers.1.material.m: unknown key"),
        (
            HEAD + LAYERS.format('"film"'),
            "layers.1.material: [materials] has no material of this name (it has: none), got 'film'",
        ),
        (HEAD + LAYERS.format('{ library = "SiO2" }'), "layers.1.material.library: must be shelf/book/page"),
        (
            HEAD + "window_nm = [700, 600]\n" + LAYERS.format("{ n = 1.5 }"),
            "window_nm: must be [shorter, longer]",
        ),
        (
            HEAD + LAYERS.format('{ n = { value = 1.8, source = "guess" } }'),
            "layers.1.material.n.source: must be published,",
        ),
        (
            HEAD + LAYERS.format('{ n = { value = "a", source = "assumed" } }'),
            "layers.1.material.n: a value with a source",
        ),
        (
            HEAD + LAYERS.format('{ n = { value = 1.8, note = "" } }'),
            "layers.1.material.n: a number with a note needs",
        ),
        (
            HEAD + LAYERS.format('{ n = { value = 1.8, source = "given", by = "me" } }'),
            "layers.1.material.n: a number with",
        ),
        (HEAD + '[materials]\n"a.b" = { n = 1.0 }\n' + LAYERS.format('"a.b"'), "materials.a.b"),
        (
            HEAD + '[materials]\nfilm = "glass"\n' + LAYERS.format('"film"'),
            "materials.film: must be a material, such as",
        ),
    ],
)
def test_bad_files_give_one_line(tmp_path, text, told):
    error, line = failing(tmp_path, text)
    assert error.file == tmp_path / "bad.toml"
    assert line.startswith(f"{tmp_path / 'bad.toml'}: ")
    assert told in line


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    for path, told in [
        (tmp_path / "none.toml", "there is no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (tmp_path / "latin.toml", "is not a text file in UTF-8"),
        (tmp_path / "a\0b.toml", "null byte"),
    ]:
        with pytest.raises(InputError) as caught:
            load_design(path)
        assert told in str(caught.value)
        assert caught.value.file == path


def with_table(tmp_path, csv):
    (tmp_path / "sub").mkdir(exist_ok=True)
    if csv is not None:
        (tmp_path / "sub" / "film.csv").write_text(csv, encoding="utf-8")
    path = tmp_path / "design.toml"
    path.write_text(HEAD + LAYERS.format('{ table = "sub/film.csv" }'), encoding="utf-8")
    return path


GOOD = "# measured\nwavelength_nm,n,k\n500,1.9,0.1\n600,1.85,0.05\n\n700,1.82,0.01\n800,1.80,0.0\n"


def test_a_table_is_read_beside_its_file_and_is_the_value(tmp_path, monkeypatch):
    path = with_table(tmp_path, GOOD)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    design = load_design(path)
    material = design.to_stack().layers[1].material
    assert material.wavelengths_nm == (500.0, 600.0, 700.0, 800.0)
    assert material.k == (0.1, 0.05, 0.01, 0.0)
    (tmp_path / "sub" / "film.csv").unlink()
    assert (
        design_from_dict(design.model_dump(mode="json")) == design
    )  # its numbers, not its file, are the value
    with_table(tmp_path, GOOD.replace("1.85", "1.86"))
    assert load_design(path).id != design.id


@pytest.mark.parametrize(
    ("csv", "told"),
    [
        (None, "there is no such file"),
        ("", "is empty; it needs a header row"),
        ("wavelength_nm,m\n1,2\n", "has no column n; its header is wavelength_nm,m"),
        (GOOD.replace("1.85", "high"), "line 4, column n: must be a number, got 'high'"),
        (GOOD.replace("1.82,0.01", "1.82"), "line 6, column k: must be a number, got ''"),
        (GOOD.replace("1.85", "nan"), "line 4, column n: must be a finite number, got 'nan'"),
        (GOOD.replace("1.85", "1e999"), "line 4, column n: must be a finite number"),
        (
            GOOD.replace("600", "500"),
            "line 4, column n: the wavelength 500 nm stands there twice, first with n = 1.9, got 1.85 (and 1 more)",
        ),
        (GOOD.replace("600", "-600"), "must be > 0, got -600.0"),
        (GOOD.replace("1.85", "-1.85"), "line 4, column n: must be > 0, got -1.85"),
        (
            "wavelength_nm,n\n500,1.9\n600,1.8\n",
            "layers.1.material.wavelengths_nm: must have at least 4 entries",
        ),
        ('wavelength_nm,n\n"500\n",1.9\n', "line 2: is not a row of CSV"),
    ],
)
def test_bad_tables_give_one_line(tmp_path, csv, told):
    with pytest.raises(InputError) as caught:
        load_design(with_table(tmp_path, csv))
    line = str(caught.value)
    assert told in line
    assert caught.value.file in (tmp_path / "sub" / "film.csv", tmp_path / "design.toml")
    assert len(line.splitlines()) == 1


def test_faults_of_every_stage_are_told_at_once(tmp_path):
    """A family, a source, a missing table, an unknown key: none hides another; a shared table is told once."""
    text = HEAD + "widow_nm = 3\n" + LAYERS.format('{ table = "none.csv" }')
    text += '[materials]\na = { table = "none.csv" }\nb = { n = { value = 1.8, note = "" } }\n'
    error, _ = failing(tmp_path, text)
    told = [(complaint.key, complaint.message.split(";")[0].split(":")[0]) for complaint in error.complaints]
    assert told == [
        ("materials.b.n", "a number with a note needs its source"),
        ("layers.1.material.table", "there is no such file"),
        ("materials.a.table", "there is no such file"),
        ("widow_nm", "unknown key"),
    ]
    (tmp_path / "none.csv").write_text("wavelength_nm,n\n500,x\n", encoding="utf-8")
    error, _ = failing(tmp_path, text.replace('family = "stack"', 'family = "stock"'))
    assert [complaint.key for complaint in error.complaints] == [
        "family",
        "materials.b.n",
        "line 2, column n",
    ]


def test_a_table_without_its_file_is_told_what_it_needs(tmp_path):
    material = "{ wavelengths_nm = [500.0, 600.0, 700.0, 800.0], n = [1.9, 1.8, 1.8, 1.8] }"
    error, line = failing(tmp_path, HEAD + LAYERS.format(material))
    assert error.key == "layers.1.material.table"
    assert "a CSV file with columns wavelength_nm, n and, if absorbing, k" in line
    assert "did you mean" not in line


@pytest.mark.parametrize("name", ["a\0b.csv", "x" * 5000, "..", ""])
def test_table_names_that_are_no_files(tmp_path, name):
    content = copy.deepcopy(CONTENT["stack"])
    content["layers"][2]["material"] = {"table": name}
    with pytest.raises(InputError):
        design_from_dict(content, base_dir=tmp_path)


def test_read_columns_takes_spreadsheet_exports(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'\xef\xbb\xbfn, wavelength_nm ,note\r\n"1.5",600,x\r\n # a remark\r\n1.6,700\r\n')
    assert read_columns(path, required=("wavelength_nm", "n"), optional=("k",)) == {
        "wavelength_nm": (600.0, 700.0),
        "n": (1.5, 1.6),
    }


# --- property tests: random and mutated content ---------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(),
    st.integers(-5, 5),
    st.sampled_from([0.0, -0.0, 1e-320, 1e-6, 1e9, 1e30, 1e300, -1e300, 10**400, math.inf, math.nan, True]),
)
TEXTS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["film", "main/SiO2/Malitson", "circle", "square", "a\nb", "\0", "\ud800"]),
)
SCALARS = st.one_of(NUMBERS, TEXTS, st.none(), st.just(date(2025, 1, 1)), st.binary(max_size=3))
KEYS = st.one_of(
    st.sampled_from(
        [
            "n",
            "k",
            "value",
            "source",
            "shape",
            "table",
            "film",
            "library",
            "sellmeier",
            "material",
            "layers",
            "sources",
        ]
    ),
    st.text(max_size=5),
    st.integers(0, 3),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=8,
)


def places(content, at=()):
    """Every place of nested content: the path to it."""
    yield at
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, item in items:
        yield from places(item, (*at, key))


@st.composite
def mutated(draw):
    content = copy.deepcopy(CONTENT[draw(st.sampled_from(sorted(CONTENT)))])
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from([at for at in places(content) if at]))
        place = content
        for step in parents:
            place = place[step]
        deed = draw(st.sampled_from(["replace", "number", "number", "delete", "add"]))
        if deed == "delete":
            del place[last]
        elif deed == "add" and isinstance(place, dict):
            place[draw(KEYS)] = draw(ANYTHING)
        else:
            place[last] = draw(NUMBERS if deed == "number" else ANYTHING)
        if not content:
            break
    return content


def one_line(error):
    assert len(str(error).splitlines()) == 1
    assert "pydantic" not in str(error)


def design_or_line(content):
    try:
        design = design_from_dict(content)
    except InputError as error:
        return one_line(error)
    assert isinstance(design, Design)
    assert len(design.id) == 64
    assert design_from_dict(design.model_dump(mode="json")).id == design.id
    return None


@given(mutated())
def test_mutated_designs_give_a_design_or_one_line(content):
    design_or_line(content)


@given(ANYTHING)
def test_anything_gives_a_design_or_one_line(content):
    design_or_line(content)


@given(st.sampled_from(sorted(CONTENT)), st.dictionaries(KEYS, ANYTHING, max_size=4))
def test_random_designs_of_each_family(family, content):
    design_or_line({"name": "x", **content, "family": family})


@given(st.sampled_from([at for at in places(CONTENT["stack"]) if at]), NUMBERS)
def test_with_value_gives_a_design_or_one_line(at, value):
    design = design_from_dict(copy.deepcopy(CONTENT["stack"]))
    try:
        changed = design.with_value(".".join(map(str, at)), value)
    except InputError as error:
        one_line(error)
    else:
        assert isinstance(changed, Design)


def test_content_that_holds_itself_or_is_too_deep():
    content: dict = {"family": "stack", "name": "x"}
    content["layers"] = content
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for bad in (content, {"family": "stack", "name": "x", "layers": deep}):
        with pytest.raises(InputError, match="nested too deeply"):
            design_from_dict(bad)
