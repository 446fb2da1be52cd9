"""Materials as Meep takes them: a constant permittivity with conductivity, or one Lorentz pole, and the error of each.

Meep steps D = ε E in time with real constants, so a complex index becomes ε = Re ε (1 + i σ_D / ω) with σ_D = 2π f
Im ε / Re ε at the window's centre, and a dispersive one ``ε(f) = ε∞ (1 + i σ_D / 2πf) + s f0² / (f0² - f² - i γ
f)`` (Meep manual, "Material dispersion").
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cavitydesign.errors import InputError
from cavitydesign.geometry.material import Constant
from cavitydesign.optics.media.index import resolve
from cavitydesign.solvers.fdtd.settings import Settings

UNIT_NM = 1000.0
"""Length unit of every job: frequencies are 1000/λ[nm]."""

_POINTS = 41


@dataclass(frozen=True, slots=True)
class Medium:
    """A Meep medium and ``index_error``, the largest |Δn| over the window between it and the material."""

    content: dict[str, Any]
    index_error: float


def medium(material: Any, *, window_nm: tuple[float, float], settings: Settings) -> Medium:
    """The medium of a material over a window (nm); raises InputError for what a time-domain run cannot hold."""
    wavelength = np.linspace(*window_nm, _POINTS)
    if isinstance(material, Constant):
        wanted = np.full(_POINTS, complex(material.n, material.k))
    else:
        wanted = np.asarray(resolve(material, window_nm=window_nm).n(wavelength), dtype=complex)
    frequency = UNIT_NM / wavelength
    flat = _constant(wanted, frequency)
    if settings.dispersion == "constant" or isinstance(material, Constant):
        return flat
    if settings.dispersion == "auto" and flat.index_error <= settings.index_tolerance:
        return flat
    curved = _lorentz(wanted, frequency)
    if curved.index_error < flat.index_error or settings.dispersion == "lorentz":
        return curved
    return flat


def index_of(content: dict[str, Any], frequency: Any) -> Any:
    """Complex index of a medium at ``frequency`` (1/µm): what Meep will see."""
    f = np.asarray(frequency, dtype=complex)
    eps = content["epsilon"] * (1.0 + 1j * content.get("conductivity", 0.0) / (2.0 * math.pi * f))
    for pole in content.get("lorentz", []):
        f0, gamma = pole["frequency"], pole["gamma"]
        eps = eps + pole["sigma"] * f0**2 / (f0**2 - f**2 - 1j * gamma * f)
    return np.sqrt(eps)


def _constant(wanted: Any, frequency: Any) -> Medium:
    middle = _POINTS // 2
    eps = complex(wanted[middle]) ** 2
    if eps.real < 1.0 and not math.isclose(eps.real, 1.0, abs_tol=1e-9):
        raise InputError(
            "a constant index with Re n² < 1 is unstable in the time domain; use dispersion = 'lorentz'",
            value=wanted[middle],
        )
    content: dict[str, Any] = {"epsilon": eps.real}
    if eps.imag:
        content["conductivity"] = 2.0 * math.pi * float(frequency[middle]) * eps.imag / eps.real
    return Medium(content, float(np.max(np.abs(index_of(content, frequency) - wanted))))


def _lorentz(wanted: Any, frequency: Any) -> Medium:
    """Least squares of ε∞ >= 1, one pole above the window and a conductivity.

    The pole stays below 2.5 times the window's top: further up it would leave ε∞ so small that Meep's step, with
    smoothed interfaces, is unstable on fine grids (seen with ε∞ = 1.22 and f0 = 9.3 at 78 pixels/um).
    """
    from scipy.optimize import least_squares

    eps = wanted**2
    top, mean = float(frequency.max()), float(np.mean(eps.real))

    def content(p: Any) -> dict[str, Any]:
        pole = {"frequency": float(p[1]), "gamma": float(p[2]), "sigma": float(p[3])}
        return {"epsilon": float(p[0]), "conductivity": float(p[4]), "lorentz": [pole]}

    def residual(p: Any) -> Any:
        off = index_of(content(p), frequency) ** 2 - eps
        return np.concatenate([off.real, off.imag])

    low = [1.0, 1.05 * top, 0.0, 0.0, 0.0]
    high = [max(2.0, 1.2 * mean), 2.5 * top, 2.0 * top, max(2.0, 2.0 * mean), 10.0]
    scale = [1.0, top, 0.1 * top, 1.0, 0.01]
    found = []
    for factor in (1.3, 1.7, 2.2):
        start = [0.6 * mean, factor * top, 0.02, 0.4 * mean, 1e-3]
        start = np.clip(start, np.add(low, 1e-6), np.subtract(high, 1e-6))
        found.append(
            least_squares(residual, start, bounds=(low, high), x_scale=scale, xtol=1e-14, ftol=1e-14)
        )
    fitted = content(min(found, key=lambda fit: fit.cost).x)
    return Medium(fitted, float(np.max(np.abs(index_of(fitted, frequency) - wanted))))
