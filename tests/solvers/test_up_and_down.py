"""Losses to either side of an asymmetric stack against fluxes: of the closed form, and of the fields themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cavitydesign.geometry import Circle, Constant, Inclusion, Layer, SquareLattice, Stack
from cavitydesign.solvers import Poles, solve


def test_a_plate_between_two_media():
    n, below, thickness = 3.0, 1.6, 1000.0
    stack = Stack(
        layers=(
            Layer(material=Constant(n=1.0)),
            Layer(material=Constant(n=n), thickness_nm=thickness, gain=True),
            Layer(material=Constant(n=below)),
        )
    )
    modes = solve(stack, Poles(q_min=1.0), window_nm=(590.0, 700.0)).modes
    assert len(modes) == 2
    up, down = ((n - 1.0) / (n + 1.0)) ** 2, ((n - below) / (n + below)) ** 2
    # in one pass the wave grows by what the faces take, so the intensities that meet them are as √(down/up)
    ratio = (1.0 - up) / (1.0 - down) * math.sqrt(down / up)
    for mode in modes:
        order = round(2.0 * n * thickness / mode.wavelength_nm)
        assert mode.wavelength_nm == pytest.approx(2.0 * n * thickness / order, rel=1e-9)
        assert mode.q == pytest.approx(-2.0 * math.pi * order / math.log(up * down), rel=1e-8)
        assert mode.q_down / mode.q_up == pytest.approx(ratio, rel=1e-8)
        assert 1.0 / mode.q_up + 1.0 / mode.q_down == pytest.approx(1.0 / mode.q, rel=1e-8)


@pytest.mark.parametrize("above", [1.0, 1.6])
def test_a_patterned_slab_radiates_as_its_losses_say(above):
    below, height = 1.46, 170.0
    hole = Inclusion(pattern=Circle(radius_nm=110.0), material=Constant(n=1.85), gain=True)
    stack = Stack(
        lattice=SquareLattice(period_nm=360.0),
        layers=(
            Layer(material=Constant(n=above)),
            Layer(material=Constant(n=2.1), thickness_nm=height, inclusions=(hole,)),
            Layer(material=Constant(n=below)),
        ),
    )
    modes = solve(stack, Poles(waves=45), window_nm=(600.0, 700.0)).modes
    bright = [mode for mode in modes if mode.symmetry == "E"]
    assert bright
    x, y = np.meshgrid(*2 * [(np.arange(24) + 0.5) / 24 * 360.0 - 180.0])
    for mode in bright:
        # the mean over a cell is the order that radiates; its power density is as n |E|²
        fields = mode.fields(z_nm=np.array([0.0, height]), x_nm=x, y_nm=y)
        power = np.sum(np.abs(fields.e[:2].mean(axis=(2, 3))) ** 2, axis=0)
        assert mode.q_down / mode.q_up == pytest.approx(above * power[1] / (below * power[0]), rel=1e-3)
