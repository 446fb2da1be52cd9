"""Design → plain data: grids, symmetry classes, objects, media; no Meep needed."""

import json
import math

import numpy as np
import pytest

from cavitydesign.errors import InputError, SolverError
from cavitydesign.geometry import (
    Bar,
    Circle,
    Constant,
    Device,
    Ellipse,
    HexagonalLattice,
    Inclusion,
    Layer,
    LineLattice,
    Polygon,
    Rectangle,
    RectangularLattice,
    Sellmeier,
    SquareLattice,
    Stack,
)
from cavitydesign.geometry.material import SellmeierTerms
from cavitydesign.optics.media.numeric import resolve_stack
from cavitydesign.solvers.ask import Ask
from cavitydesign.solvers.fdtd import Fdtd, array_losses, export_jobs
from cavitydesign.solvers.fdtd.cell import dimensions_of, lay_out, pixels_per_period
from cavitydesign.solvers.fdtd.client import WORKER_FILES, digest
from cavitydesign.solvers.fdtd.estimate import estimate, refuse_what_does_not_fit
from cavitydesign.solvers.fdtd.job import jobs, point_group
from cavitydesign.solvers.fdtd.materials import index_of, medium

WINDOW = (590.0, 640.0)


def stack(pattern, lattice=None, hole=1.85):
    film = Layer(material=Constant(n=1.85), thickness_nm=60.0, gain=True)
    holes = (Inclusion(pattern=pattern, material=Constant(n=hole), gain=True),)
    slab = Layer(material=Constant(n=2.0), thickness_nm=170.0, inclusions=holes)
    outer = Layer(material=Constant(n=1.0)), Layer(material=Constant(n=1.46))
    return Stack(lattice=lattice or SquareLattice(period_nm=360.0), layers=(outer[0], film, slab, outer[1]))


CELL = stack(Circle(radius_nm=111.25))
HEXAGONAL = stack(Circle(radius_nm=100.0), HexagonalLattice(period_nm=400.0))
GRATING = stack(Bar(width_nm=180.0), LineLattice(period_nm=360.0))
UNIFORM = Stack(
    layers=(
        Layer(material=Constant(n=1.0)),
        Layer(material=Constant(n=1.8), thickness_nm=300.0),
        Layer(material=Constant(n=1.46)),
    )
)


@pytest.mark.parametrize("wanted", [31.0, 50.0, 77.7, 100.0])
@pytest.mark.parametrize(
    "lattice",
    [
        SquareLattice(period_nm=360.0),
        HexagonalLattice(period_nm=400.0),
        RectangularLattice(period_x_nm=360.0, period_y_nm=415.0),
    ],
)
def test_a_period_is_a_whole_even_number_of_pixels(lattice, wanted):
    n, m, resolution = pixels_per_period(lattice, wanted)
    assert n % 2 == 0
    assert m % 2 == 0
    # the next number of pixels that fits both periods of a skew ratio can be far: 22 x 38 or 30 x 52 for √3
    assert resolution == pytest.approx(wanted, rel=0.1 if lattice.kind == "square" and wanted > 40.0 else 1.4)
    x, y = lattice.periods_nm
    y = math.sqrt(3.0) * x if lattice.kind == "hexagonal" else y
    # misfit below 0.3 %, shared so that the area (hence the mean frequency of a symmetric mode) is kept
    assert n / resolution * 1000.0 == pytest.approx(x, rel=3e-3)
    assert n * m / resolution**2 * 1e6 == pytest.approx(x * y, rel=1e-12)


@pytest.mark.parametrize(
    ("subject", "group", "dimensions"),
    [
        (CELL, "C4v", 3),
        (HEXAGONAL, "C6v", 3),
        (GRATING, "C2v", 2),
        (UNIFORM, "1D", 1),
        (stack(Rectangle(size_nm=(100.0, 200.0))), "C2v", 3),
        (stack(Rectangle(size_nm=(100.0, 200.0), rotation_deg=30.0)), "1", 3),
        (stack(Polygon(vertices_nm=((-80.0, -80.0), (90.0, 0.0), (-80.0, 80.0)))), "Cy", 3),
    ],
)
def test_symmetry_and_dimension_come_from_the_pattern(subject, group, dimensions):
    assert point_group(resolve_stack(subject, window_nm=WINDOW)) == group
    assert dimensions_of(subject) == dimensions


@pytest.mark.parametrize(("bloch", "group"), [((1e-3, 0.0), "Cy"), ((0.0, 1e-3), "Cx"), ((1e-3, 1e-3), "1")])
def test_a_bloch_vector_keeps_the_mirror_that_leaves_it_alone(bloch, group):
    assert point_group(resolve_stack(CELL, window_nm=WINDOW), bloch) == group
    plan = jobs(Ask(CELL, WINDOW, bloch=bloch), Fdtd(pixels_per_um=(50.0,)))
    assert all(job.content["complex_fields"] for job in plan)
    assert plan[0].content["k_point"][:2] == pytest.approx([k * 1000.0 / (2.0 * math.pi) for k in bloch])


def test_the_classes_of_a_square_cell_cover_all_five_labels_in_quarter_cells():
    plan = jobs(Ask(CELL, WINDOW), Fdtd(pixels_per_um=(50.0,)))
    labels = [label for job in plan[:3] for label in job.labels.values()]
    assert sorted(labels) == [("A1", 1), ("A2", 1), ("B1", 1), ("B2", 1), ("E", 2)]
    assert all(len(job.content["symmetries"]) == 2 and not job.content["complex_fields"] for job in plan)
    assert {job.name.rsplit(" ", 1)[1] for job in plan} == {"0.25", "0.75"}


def test_sources_of_a_hexagonal_supercell_never_ring_a_folded_mode():
    (job, *_) = jobs(Ask(HEXAGONAL, WINDOW), Fdtd(pixels_per_um=(50.0,)))
    px, py = job.cell.periods
    places = [(s["component"], *np.round(s["center"], 9)) for s in job.content["sources"]]
    for component, x, y, z in places:
        partner = [
            p for p in places
            if p[0] == component and p[3] == z
            and abs(abs(p[1] - x) - px / 2) < 1e-6 and abs(abs(p[2] - y) - py / 2) < 1e-6
        ]  # fmt: skip
        assert len(partner) == 1
    assert len([o for o in job.content["objects"] if o["shape"] == "cylinder"]) == 2


def test_a_job_is_plain_data_and_its_address_sees_every_number():
    plan = jobs(Ask(CELL, WINDOW), Fdtd(pixels_per_um=(50.0,)))
    assert json.loads(json.dumps(plan[0].content)) == plan[0].content
    moved = jobs(Ask(CELL, (590.0, 640.0 + 1e-9)), Fdtd(pixels_per_um=(50.0,)))
    assert digest(plan[0].content) != digest(moved[0].content)


@pytest.mark.parametrize("offset", [0.25, 0.75])
def test_layers_lie_on_the_grid_as_the_stack_says(offset):
    cell = lay_out(Ask(CELL, WINDOW), Fdtd(), pixels_per_um=50.0, offset=offset)
    blocks = [o for o in cell.content["objects"] if o["shape"] == "block"]
    tops = [o["center"][2] + 0.5 * o["size"][2] for o in blocks]
    assert np.diff(tops) == pytest.approx([-0.06, -0.17])
    # the substrate ends at the cell: Meep would repeat anything beyond it in the superstrate
    assert blocks[-1]["center"][2] - 0.5 * blocks[-1]["size"][2] == pytest.approx(
        -0.5 * cell.size[2], abs=1e-12
    )
    assert (tops[-1] * cell.resolution) % 1.0 == pytest.approx(1.0 - offset)
    assert cell.size[2] * cell.resolution == pytest.approx(round(cell.size[2] * cell.resolution))


@pytest.mark.parametrize(
    "shape",
    [
        Ellipse(semi_axes_nm=(120.0, 60.0), rotation_deg=25.0, center_nm=(10.0, 0.0)),
        Rectangle(size_nm=(200.0, 120.0), corner_radius_nm=40.0),
        Polygon(vertices_nm=((-100.0, -80.0), (100.0, -80.0), (0.0, 100.0)), corner_radius_nm=20.0),
    ],
)
def test_round_shapes_are_prisms_of_their_own_area(shape):
    hole = Inclusion(pattern=shape, material=Constant(n=1.0))
    layers = [layer.replace(inclusions=(hole,)) if layer.inclusions else layer for layer in CELL.layers]
    cell = lay_out(Ask(CELL.replace(layers=tuple(layers)), WINDOW), Fdtd(), pixels_per_um=50.0)
    (prism,) = [o for o in cell.content["objects"] if o["shape"] == "prism"]
    corners = 1000.0 * np.array(prism["vertices"])[:, :2]
    (x, y), (nx, ny) = corners.T, np.roll(corners, -1, axis=0).T
    assert 0.5 * np.sum(x * ny - nx * y) == pytest.approx(shape.area_nm2, rel=1e-12)
    assert corners.mean(axis=0) == pytest.approx(shape.outline(128).mean(axis=0), abs=0.3)
    assert prism["height"] == pytest.approx(0.17)


def test_a_finite_array_draws_each_hole_and_absorbs_on_all_sides():
    cell = lay_out(Ask(CELL, WINDOW, Device(periods=(3, 4))), Fdtd(), pixels_per_um=30.0)
    centers = np.array([o["center"][:2] for o in cell.content["objects"] if o["shape"] == "cylinder"])
    assert len(centers) == 12
    assert centers.mean(axis=0) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert "axis" not in cell.content["boundary_layers"][0]
    assert cell.size[0] > 3 * 0.36 + 2.0 * cell.pml


def test_absorption_becomes_conductivity_and_comes_back_as_the_same_index():
    found = medium(Constant(n=3.8, k=0.02), window_nm=WINDOW, settings=Fdtd())
    center = 1000.0 / 615.0
    assert complex(index_of(found.content, center)) == pytest.approx(3.8 + 0.02j, rel=1e-6)
    amplifier = medium(Constant(n=1.85, k=-0.002), window_nm=WINDOW, settings=Fdtd())
    assert complex(index_of(amplifier.content, center)).imag == pytest.approx(
        -0.002, rel=1e-5
    )  # gain stays gain


def test_dispersion_is_fitted_and_its_error_told():
    steep = Sellmeier(sellmeier=SellmeierTerms(b=(2.0,), c_um2=(0.05,)))
    flat = medium(steep, window_nm=WINDOW, settings=Fdtd(dispersion="constant"))
    fitted = medium(steep, window_nm=WINDOW, settings=Fdtd())
    assert flat.index_error > 5e-3
    assert fitted.index_error < 1e-5  # a Sellmeier term is a Lorentz pole without damping
    wavelength = np.linspace(*WINDOW, 7)
    exact = np.sqrt(1.0 + 2.0 * wavelength**2 / (wavelength**2 - 0.05e6))
    assert index_of(fitted.content, 1000.0 / wavelength).real == pytest.approx(exact, abs=2e-5)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixels_per_um", ()),
        ("q_min", 1.0),
        ("classes", ("+x",)),
        ("ranks", 0),
        ("dispersion", "none"),
    ],
)
def test_settings_refuse_what_cannot_be_run(key, value):
    with pytest.raises(InputError, match=key):
        Fdtd(**{key: value})


def test_settings_that_change_no_number_compare_equal():
    assert Fdtd(ranks=4, folder="x", at_once=2) == Fdtd()
    assert Fdtd(q_min=30.0) != Fdtd()


def test_estimates_grow_as_they_should_and_a_job_that_does_not_fit_is_refused():
    def cost(resolution, **kwargs):
        return estimate(
            jobs(Ask(CELL, WINDOW, Device(periods=(11, 11))), Fdtd(pixels_per_um=(resolution,))),
            **kwargs,
        )

    assert cost(100.0).cells == pytest.approx(8.0 * cost(50.0).cells, rel=0.05)
    assert cost(100.0).seconds == pytest.approx(16.0 * cost(50.0).seconds, rel=0.2)
    assert cost(100.0, ranks=8).seconds < 0.2 * cost(100.0).seconds
    plan = jobs(Ask(CELL, WINDOW, Device(periods=(51, 51))), Fdtd(pixels_per_um=(100.0,)))
    with pytest.raises(SolverError, match=r"GB are free; it fits at \d+ pixels per um"):
        refuse_what_does_not_fit(plan, Fdtd(time_limit_s=1e9, memory_limit_gb=1.0))
    with pytest.raises(SolverError, match=r"it fits with time_limit_s = \d+.*ranks = \d+"):
        refuse_what_does_not_fit(plan, Fdtd(time_limit_s=60.0, memory_limit_gb=1e4))
    small = jobs(Ask(UNIFORM, WINDOW), Fdtd())
    assert refuse_what_does_not_fit(small, Fdtd(time_limit_s=600.0, memory_limit_gb=4.0)).seconds < 600.0


def test_exported_jobs_are_those_that_a_solve_would_run(tmp_path):
    settings = Fdtd(pixels_per_um=(50.0,), ranks=8)
    found = export_jobs(CELL, settings, tmp_path / "out", window_nm=WINDOW, python="/opt/meep/bin/python")
    plan = jobs(Ask(CELL, WINDOW), settings)
    assert [folder.name for folder in found.folders] == [digest(job.content) for job in plan]
    assert json.loads((found.folders[0] / "job.json").read_text()) == plan[0].content
    for file in WORKER_FILES:
        assert (found.folder / file.name).read_bytes() == file.read_bytes()
    text = found.script.read_text()
    assert f"--array=0-{len(plan) - 1}" in text
    assert "mpirun -n 8 /opt/meep/bin/python -I worker.py" in text
    assert found.command.endswith("sbatch run.sbatch")


def test_an_export_asks_what_a_solve_asks(tmp_path):
    settings, device = Fdtd(pixels_per_um=(30.0,)), Device(periods=(3, 3))
    found = export_jobs(CELL, settings, tmp_path, window_nm=WINDOW, device=device)
    plan = jobs(Ask(CELL, WINDOW, device), settings)
    assert [folder.name for folder in found.folders] == [digest(job.content) for job in plan]


def test_an_array_with_a_shifted_middle_is_refused_by_every_question():
    shifted = Device(periods=(8,), shift_periods=0.25)
    with pytest.raises(InputError, match=r"device\.shift_periods"):
        jobs(Ask(GRATING, WINDOW, shifted), Fdtd())
    with pytest.raises(InputError, match=r"device\.shift_periods"):
        array_losses(GRATING, wavelength_nm=600.0, device=shifted)


@pytest.mark.parametrize(("subject", "device"), [(CELL, None), (UNIFORM, Device(periods=(3, 3)))])
def test_losses_by_the_way_out_are_those_of_a_finite_array(subject, device):
    with pytest.raises(InputError, match="device"):
        array_losses(subject, wavelength_nm=600.0, device=device)


@pytest.mark.parametrize(("periods", "group", "classes"), [((5, 5), "C4v", 3), ((5, 7), "C2v", 4)])
def test_an_oblong_array_of_square_cells_has_no_pairs(periods, group, classes):
    plan = jobs(Ask(CELL, WINDOW, Device(periods=periods)), Fdtd(pixels_per_um=(30.0,)))
    assert {job.group for job in plan} == {group}
    assert len({job.parity for job in plan}) == classes
    degeneracies = {degeneracy for job in plan for _, degeneracy in job.labels.values()}
    assert degeneracies == ({1, 2} if group == "C4v" else {1})
