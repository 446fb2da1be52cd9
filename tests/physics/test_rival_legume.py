"""Against guided-mode expansion (legume-gme), where it is valid: real indices, guided resonances of high Q.

legume expands in the guided modes of an effective slab and takes the loss from perturbation. Its λ is good to the
spread that its own number of guided modes leaves; its Q to that spread plus what perturbation drops, a share of the
order of the contrast. Both spreads are measured here, by the same code, and are the tolerances.
"""

import math

import numpy as np
import pytest

from cavitydesign.solvers.ask import solve
from cavitydesign.solvers.poles import Poles
from tests.optics.cells import circle, film_cell, layer, stack

legume = pytest.importorskip(
    "legume", reason='legume-gme is not installed (pip install "cavitydesign[bench]")'
)


def _film_cell():
    crystal = legume.PhotCryst(legume.Lattice("square"), eps_l=1.46**2, eps_u=1.0)
    crystal.add_layer(d=170.0 / 360.0, eps_b=4.0)
    crystal.add_shape(legume.Circle(eps=1.85**2, r=math.sqrt(0.3 / math.pi)))
    crystal.add_layer(d=60.0 / 360.0, eps_b=1.85**2)
    return crystal, film_cell(), 360.0, (590.0, 640.0)


def _membrane():
    """A free slab of n = 2.0 with weak holes, hexagonal: C6v and its two-fold dark modes."""
    crystal = legume.PhotCryst(legume.Lattice("hexagonal"), eps_l=1.3**2, eps_u=1.3**2)
    crystal.add_layer(d=0.5, eps_b=4.0)
    crystal.add_shape(legume.Circle(eps=1.8**2, r=0.25))
    made = stack(
        [layer(2.0, 200.0, circle(1.8, 100.0))], period_nm=400.0, kind="hexagonal", above=1.3, below=1.3
    )
    return crystal, made, 400.0, (560.0, 650.0)


def _guided(crystal, period_nm, window, *, gmax, guided):
    expansion = legume.GuidedModeExp(crystal, gmax=gmax, truncate_g="abs")
    expansion.run(
        kpoints=np.zeros((2, 1)), gmode_inds=list(range(guided)), numeig=16, verbose=False, compute_im=True
    )
    found = []
    for real, imag in zip(expansion.freqs[0], expansion.freqs_im[0], strict=True):
        if real > 0.0 and window[0] <= period_nm / real <= window[1]:
            found.append((period_nm / float(real), float(real / (2.0 * imag)) if imag > 1e-12 else math.inf))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("make", [_film_cell, _membrane])
def test_wavelengths_and_q(make):
    """One to one: bright pairs and dark modes, as many as there are. λ within max(spread, 0.05 %), Q within 20 %.

    The 0.05 % is what legume leaves out: the radiation modes' part in the dispersion, of second order in the contrast.
    """
    crystal, subject, period_nm, window = make()
    fine = _guided(crystal, period_nm, window, gmax=5.01, guided=4)
    coarse = _guided(crystal, period_nm, window, gmax=4.01, guided=2)
    assert len(fine) == len(coarse)
    rows = [row for row in solve(subject, Poles(), window_nm=window).modes if row["q"] > 100.0]
    ours = sorted(
        ((row["wavelength_nm"], row["q"]) for row in rows for _ in range(row["degeneracy"])), reverse=True
    )
    assert len(ours) == len(fine)
    for kind in (math.isinf, math.isfinite):
        mine, theirs, rough = ([item for item in found if kind(item[1])] for found in (ours, fine, coarse))
        assert len(mine) == len(theirs) == len(rough)
        for (wavelength, q), (value, rival), (other, rival_rough) in zip(mine, theirs, rough, strict=True):
            assert wavelength == pytest.approx(value, abs=max(abs(value - other), 5e-4 * value))
            if math.isfinite(q):
                assert q == pytest.approx(rival, rel=max(abs(rival_rough / rival - 1.0), 0.2))
