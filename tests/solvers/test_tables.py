"""Modes of stacks whose materials are tables: the same in every window, what tables leave open in the bars."""

from pathlib import Path

import numpy as np
import pytest

from cavitydesign import Poles, design_from_dict, load_design, solve
from cavitydesign.errors import Status
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.optics.uniform.lines import lines_within, without
from cavitydesign.optics.uniform.resonator import uniform_resonances

HERE = Path(__file__).parent
LAYOUTS = HERE.parents[1] / "layouts"


def stack(*layers, window_nm=(560.0, 700.0), base_dir=HERE / "data"):
    content = {"name": "s", "family": "stack", "window_nm": list(window_nm), "layers": list(layers)}
    return design_from_dict(content, base_dir=base_dir)


SILVER = {"material": {"n": 0.05, "k": 4.2}, "thickness_nm": 40.0}
FILM = {"material": {"table": "narrow_line.csv"}, "thickness_nm": 135.0, "gain": True}
GLASS = {"material": {"n": 1.46}}
AIR = {"material": {"n": 1.0}}
SILICON = {"material": {"library": "main/Si/Green-2008"}, "thickness_nm": 2000.0, "gain": True}
MIRROR = {
    "high": {"library": "main/TiO2/Siefke"},
    "low": {"n": 1.46},
    "design_wavelength_nm": 680.0,
    "pairs": 6,
}
TITANIA = {
    "name": "t",
    "family": "two_mirror",
    "window_nm": [640.0, 740.0],
    "superstrate": {"n": 1.46},
    "substrate": {"n": 1.46},
    "front_mirror": MIRROR,
    "back_mirror": MIRROR,
    "film": {"thickness_nm": 184.0, "material": {"n": 1.85}},
}


def near(solution, wavelength_nm):
    return min(solution.modes, key=lambda mode: abs(mode.wavelength_nm - wavelength_nm))


def test_a_cavity_around_a_narrow_line():
    """A 12-nm absorption line at 620 nm splits the mode; the values are those of an independent code."""
    solution = solve(stack(GLASS, SILVER, FILM, SILVER, GLASS), Poles())
    assert solution.status is Status.OK
    for wavelength, q in ((605.86, 46.7), (620.70, None), (683.30, 21.9)):
        mode = near(solution, wavelength)
        assert mode.wavelength_nm == pytest.approx(wavelength, abs=mode.wavelength_err_nm + 0.005)
        if q:
            assert mode.q == pytest.approx(q, abs=mode.q_err + 0.05)
    assert any(
        "absorption line of narrow_line.csv" in told and "620.0 nm" in told for told in solution.warnings
    )


@pytest.mark.parametrize(
    ("design", "windows"),
    [
        (stack(GLASS, SILVER, FILM, SILVER, GLASS), [(560, 700), (590, 640), (460, 790)]),
        (stack(AIR, {**GLASS, "thickness_nm": 300.0}, SILICON, AIR), [(560, 700), (600, 640), (400, 900)]),
        (design_from_dict(TITANIA), [(640, 740), (450, 900), (400, 980)]),
        (load_design(LAYOUTS / "two_mirror.toml"), [(640, 740), (450, 900)]),
    ],
    ids=["narrow line", "silicon", "titania", "two mirrors"],
)
def test_a_mode_is_the_same_in_every_window(design, windows):
    solutions = [solve(design, Poles(), window_nm=window) for window in windows]
    assert all(solution.status is Status.OK for solution in solutions)
    low, high = max(window[0] for window in windows), min(window[1] for window in windows)
    inside = [[mode for mode in solution.modes if low < mode.wavelength_nm < high] for solution in solutions]
    assert inside[0]
    for others in inside[1:]:
        assert len(others) == len(inside[0])
        for one, other in zip(inside[0], others, strict=True):
            assert other.wavelength_nm == pytest.approx(one.wavelength_nm, rel=1e-9)
            assert other.q == pytest.approx(one.q, rel=1e-6)


def test_the_shipped_cavity_keeps_its_q():
    solution = solve(load_design(LAYOUTS / "two_mirror.toml"), Poles(), window_nm=(450.0, 900.0))
    assert near(solution, 690.0).q == pytest.approx(22_174, abs=1.0)


def test_what_a_table_leaves_open_is_in_the_bars(tmp_path):
    """The digits of a table move λ by what a shift of that size does, and a warning names the table."""
    w = np.linspace(500.0, 760.0, 131)
    for digits in (2, 6):
        rows = [f"{x:.1f},{1.8 + 2e4 / x**2:.{digits}f},{1e-3 + 1e-6 * (x - 500):.{digits + 1}f}" for x in w]
        (tmp_path / "film.csv").write_text("wavelength_nm,n,k\n" + "\n".join(rows) + "\n", encoding="utf-8")
        layers = (GLASS, SILVER, {**FILM, "material": {"table": "film.csv"}}, SILVER, GLASS)
        design = stack(*layers, base_dir=tmp_path)
        solution = solve(design, Poles())
        (mode,) = solution.modes
        numeric = resolve_stack(design.to_stack(), window_nm=(560.0, 700.0))
        uncertainty = numeric.index_uncertainty(mode.k0_per_nm)
        number = int(np.flatnonzero(uncertainty)[0])
        shifted = numeric.shifted({number: complex(uncertainty[number].real)})
        (moved,) = uniform_resonances(shifted, window_nm=(560.0, 700.0))
        change = abs(moved.wavelength_nm - mode.wavelength_nm)
        assert change <= 1.05 * mode.wavelength_err_nm <= 1.5 * change
        assert mode.q_err > abs(moved.q - mode.q)
        assert any("film.csv" in told for told in solution.warnings) == (digits == 2)


def test_k_that_is_not_known_is_said(tmp_path):
    (tmp_path / "film.csv").write_text(
        "wl,n\n"
        + "".join(f"{x / 100},1.8\n" for x in range(40, 81, 2))
        + "wl,k\n0.40,0.2\n0.42,0.1\n0.44,0.1\n0.46,0\n",
        encoding="utf-8",
    )
    layers = (GLASS, SILVER, {**FILM, "material": {"table": "film.csv"}}, SILVER, GLASS)
    told = " ".join(solve(stack(*layers, base_dir=tmp_path), Poles()).warnings)
    assert "k of film.csv" in told
    assert "is unknown outside 400-460 nm; 0 is used" in told


def test_a_patterned_stack_takes_an_analytic_index():
    """Contour moments vanish for the continuation alone only; what it leaves of the rows is in its uncertainty."""
    table = {"library": "other/quantum dots/CdSe-ZnCdS/Aftenieva"}
    hole = {"shape": "circle", "radius_nm": 111.25, "material": table, "gain": True}
    content = {
        "name": "p",
        "family": "stack",
        "window_nm": [560.0, 740.0],
        "lattice": {"kind": "square", "period_nm": 360.0},
        "layers": [
            AIR,
            {"material": table, "thickness_nm": 60.0, "gain": True},
            {"material": {"n": 2.0}, "thickness_nm": 170.0, "inclusions": [hole]},
            GLASS,
        ],
    }
    design = design_from_dict(content)
    solution = solve(design, Poles(tolerance_nm=0.1, q_tolerance=0.05, max_waves=400))
    assert solution.status is Status.OK
    assert len(solution.modes) == 6
    (uncertainty,) = solution.provenance["index_uncertainties"].values()
    assert uncertainty < 3e-5
    w = np.linspace(560.0, 740.0, 7)
    exact, smooth = (
        np.stack(
            [
                m.n(w)
                for m in resolve_stack(design.to_stack(), window_nm=(560.0, 740.0), analytic=way).materials
            ]
        )
        for way in (False, None)
    )
    assert 0.0 < np.abs(exact - smooth).max() <= uncertainty


def test_squares_around_lines_are_left_out():
    numeric = resolve_stack(stack(GLASS, SILVER, FILM, SILVER, GLASS).to_stack(), window_nm=(560.0, 700.0))
    (line,) = lines_within(numeric, (560.0, 700.0), 5.0)
    region = (0.009, 0.0112, -1e-3, 2e-5)
    parts = list(without(region, [line]))
    area = sum((right - left) * (high - low) for left, right, low, high in parts)
    whole = (region[1] - region[0]) * (region[3] - region[2])
    assert area == pytest.approx(whole - 4.0 * line.reach**2, rel=1e-12)
    assert list(without((0.009, 0.0095, -1e-3, 2e-5), [line])) == [(0.009, 0.0095, -1e-3, 2e-5)]
    assert not lines_within(numeric, (560.0, 700.0), 80.0)  # its Q is 52: below what is searched for


def test_a_table_of_many_rows(tmp_path):
    w = np.linspace(390.0, 1010.0, 25_000)
    rows = "".join(f"{x:.3f}\t{1.8 + 9e3 / x**2:.6f}\t{1e-3:.4f}\n".replace(".", ",") for x in w)
    (tmp_path / "narrow_line.csv").write_text("Wavelength (nm)\tn\tk\n" + rows, encoding="utf-8")
    solution = solve(
        stack(GLASS, SILVER, FILM, SILVER, GLASS, base_dir=tmp_path), Poles(), window_nm=(400, 980)
    )
    assert solution.status is Status.OK
