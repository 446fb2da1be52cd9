"""The gain medium and how it is pumped: the ``[emitter]`` and ``[pump]`` tables of a design file. Values only.

Hardly any number of a quantum-shell film is published. So each default below carries where it comes from,
how far off it may be, and why; a design lists the defaults that its file left out, and the gain coupler turns
each ``plus_minus`` into an error of the threshold. "Review" is D. Nazar et al., Nanoscale 17, 3698 (2025).
No default was chosen to make a published threshold come out, with one exception that says so:
``absorption_cross_section_cm2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from cavitydesign.geometry.base import DefaultSource, Fraction, NonNegative, Positive, Value
from cavitydesign.geometry.complaint import RuleBroken
from cavitydesign.geometry.material import WavelengthRange

QUASI_CW_NS = 0.1
"""Pulses at least this long are integrated against recombination and quoted in kW/cm²; shorter ones count as
instantaneous. With the published Auger interval that is wrong by less than 2 % of ⟨N⟩ up to six pairs."""


# Far wider than any film or laser; they keep a mistyped unit from becoming an overflow.
Kelvin = Annotated[float, Field(gt=0.0, le=2000.0, strict=True)]
ElectronVolt = Annotated[float, Field(ge=0.3, le=10.0, strict=True)]
Shift = Annotated[float, Field(ge=-500.0, le=500.0, strict=True)]
Width = Annotated[float, Field(ge=0.0, le=1000.0, strict=True)]
CrossSection = Annotated[float, Field(ge=1e-25, le=1e-6, strict=True)]
Lifetime = Annotated[float, Field(ge=1e-4, le=1e7, strict=True)]
Wavelength = Annotated[float, Field(ge=50.0, le=20_000.0, strict=True)]


def _assumed(plus_minus: float | None, note: str) -> DefaultSource:
    return DefaultSource("assumed", plus_minus=plus_minus, note=note)


def _published(plus_minus: float | None, note: str) -> DefaultSource:
    return DefaultSource("published", plus_minus=plus_minus, note=note)


def _fitted(plus_minus: float | None, note: str) -> DefaultSource:
    return DefaultSource("fitted", plus_minus=plus_minus, note=note)


_DOTS = "of CdSe/ZnS dots, Valerini et al., Phys. Rev. B 71, 235409 (2005); not of shells"


class GainTable(Value):
    """A measured gain spectrum, read from CSV when the design is loaded: its numbers are the value.

    One row per wavelength and pump level. ``level`` says what ``levels`` count: pairs per shell, a one-photon
    fluence in µJ/cm², or nothing (one spectrum at an unnamed level). Within one level the wavelengths rise
    from row to row; levels rise from block to block.
    """

    table: str
    level: Literal["pairs_per_shell", "fluence_uj_per_cm2", "none"]
    levels: tuple[NonNegative, ...]
    wavelengths_nm: tuple[Positive, ...] = Field(min_length=2)
    gain_per_cm: tuple[float, ...]

    @model_validator(mode="after")
    def _columns(self) -> Self:
        if not len(self.levels) == len(self.wavelengths_nm) == len(self.gain_per_cm):
            raise ValueError("level, wavelength_nm and gain_per_cm must be columns of one length")
        for before, after in pairwise(zip(self.levels, self.wavelengths_nm, strict=True)):
            if after <= before:
                rule = (
                    "wavelength_nm must rise from row to row within a level, and levels from block to block"
                )
                raise ValueError(f"{rule}; {after} follows {before}")
        if any(self.levels.count(level) < 2 for level in set(self.levels)):
            raise ValueError("each level needs at least two wavelengths")
        return self


class Emitter(Value):
    """A film of quantum shells: transitions, line widths, cross-sections, lifetimes.

    ::

        pairs       0 ───▶ 1 ───▶ 2 ───▶ 3 …       each step absorbs upwards and emits downwards
        label          X      XX     MX
        1S line        E_X    +Δ     +Δ+δ …        excitons repel: Δ biexciton_shift, δ further_shift
        1P line        +p     +Δ+p   +Δ+δ+p …      p is p_splitting; 1P emits from 3 pairs up

    ``peak_gain_per_cm`` (gain of fully inverted 1S lines at 293 K) replaces cross-section times density.
    ``stokes_shift_mev`` left out is the shift that detailed balance asks for. ``spectrum`` replaces the
    modelled gain by a measured one. ``threshold_pairs`` replaces the threshold condition by a given number of
    pairs per shell: whether Auger decay sets the threshold at all is disputed (arXiv:2510.01199).
    ``absorption_cross_section_cm2 = "leatherdale"`` takes the cross-section of CdSe dots at 350 nm.

    Attributes:
        tag: the ``model = "…"`` of a file by which the classes of emitters are told apart; this one may leave it out.
    """

    tag: ClassVar[str] = "shells"

    temperature_k: Kelvin = 293.0

    exciton_ev: Annotated[
        ElectronVolt,
        _published(0.02, "670 nm, X line of amplified emission, 7.2 nm core (review); taken as at 293 K"),
    ] = 1.8505
    exciton_temperature_k: Annotated[Kelvin, _assumed(None, "temperature at which exciton_ev holds")] = 293.0
    varshni_alpha_ev_per_k: Annotated[
        Annotated[float, Field(ge=0.0, le=1e-2, strict=True)], _published(0.2e-4, _DOTS)
    ] = 3.2e-4
    varshni_beta_k: Annotated[Kelvin, _published(30.0, _DOTS)] = 220.0

    biexciton_shift_mev: Annotated[
        Shift, _published(10.0, "XX above X in films (review); 57-80 meV in single shells at 10 K")
    ] = 63.0
    further_shift_mev: Annotated[Shift, _assumed(10.0, "per pair beyond the second; not published")] = 10.0
    p_splitting_mev: Annotated[
        Annotated[float, Field(gt=0.0, le=2000.0, strict=True)],
        _assumed(50.0, "between 30 meV (rotor of 5.5 nm) and 200 meV (CdSe dots); not published"),
    ] = 100.0
    p_strength: Annotated[
        Annotated[float, Field(ge=0.0, le=100.0, strict=True)],
        _assumed(0.3, "of one 1P channel, by one 1S channel; not published"),
    ] = 1.0
    stokes_shift_mev: Width | None = None

    inhomogeneous_fwhm_mev: Annotated[Width, _assumed(20.0, "not published")] = 60.0
    acoustic_broadening_uev_per_k: Annotated[Width, _assumed(30.0, _DOTS)] = 71.0
    lo_broadening_mev: Annotated[Width, _assumed(10.0, _DOTS)] = 21.0
    lo_phonon_mev: Annotated[
        Annotated[float, Field(ge=0.1, le=1000.0, strict=True)],
        _published(1.0, "longitudinal optical phonon of bulk CdSe"),
    ] = 26.0

    band_edge_cross_section_cm2: Annotated[
        CrossSection,
        _assumed(
            3e-15, "1S absorption peak of a shell at 293 K; dots of 7.2 nm: Chem. Mater. 15, 2854 (2003)"
        ),
    ] = 4e-15
    shell_diameter_nm: Annotated[
        Annotated[float, Field(ge=0.5, le=1000.0, strict=True)],
        _assumed(3.0, "outer; sets the density of shells"),
    ] = 16.0
    volume_fraction: Annotated[Fraction, _assumed(0.15, "of shells in the film; random packing is 0.64")] = (
        0.5
    )
    peak_gain_per_cm: Annotated[float, Field(gt=0.0, le=1e8, strict=True)] | None = None

    absorption_cross_section_cm2: Annotated[
        CrossSection | Literal["leatherdale"],
        _fitted(
            0.5e-13, "to 1.4 pairs at 4 µJ/cm², the pillar laser's threshold (review), as if pumped at 400 nm"
        ),
    ] = 1.7e-13
    absorption_wavelength_nm: Annotated[
        Wavelength, _assumed(None, "pump wavelength of absorption_cross_section_cm2; not published")
    ] = 400.0
    two_photon_cross_section_gm: Annotated[
        Annotated[float, Field(ge=1e-6, le=1e12, strict=True)],
        _published(0.9e7, "upper end of 'up to 10⁷ GM' (review), so thresholds are a lower bound"),
    ] = 1e7

    exciton_lifetime_ns: Annotated[
        Lifetime,
        _assumed(45.0, "radiative; from QY_XX/QY_X = 57 %, rates 4:1 and the Auger interval (review)"),
    ] = 110.0
    biexciton_auger_ns: Annotated[
        Lifetime, _published(14.0, "middle of 22 and 50 ns, 7.2 nm core; 8.7 nm core: 90 and 110 ns (review)")
    ] = 36.0

    threshold_pairs: Annotated[float, Field(ge=1e-6, le=1e3, strict=True)] | None = None
    spectrum: GainTable | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.inhomogeneous_fwhm_mev == self.acoustic_broadening_uev_per_k == self.lo_broadening_mev == 0.0:
            raise ValueError(
                "a line needs a width: inhomogeneous_fwhm_mev or a phonon broadening must be > 0"
            )
        if self.threshold_pairs is not None and self.spectrum is not None:
            raise ValueError("threshold_pairs replaces what spectrum says: give one of the two")
        return self


class MeasuredEmitter(Emitter):
    """A film whose gain was measured, ``model = "measured"``: an emitter that must have its ``spectrum``."""

    tag: ClassVar[str] = "measured"

    model: Literal["measured"] = "measured"

    @model_validator(mode="after")
    def _has_a_spectrum(self) -> Self:
        if self.spectrum is None:
            raise RuleBroken('a measured emitter needs one, such as { table = "gain.csv" }', key="spectrum")
        return self


class ConstantEmitter(Emitter):
    """Gain that is linear in the pairs and the same at all wavelengths of a window, ``model = "constant"``.

    ``g = slope_per_cm (⟨N⟩ - transparency_pairs)`` within ``gain_window_nm``. Exciton, cross-sections and lifetimes
    say how the film is pumped; what makes the lines of shells (:attr:`idle`) has no place here.
    """

    tag: ClassVar[str] = "constant"
    idle: ClassVar[frozenset[str]] = frozenset({
        "biexciton_shift_mev", "further_shift_mev", "p_splitting_mev", "p_strength", "stokes_shift_mev",
        "inhomogeneous_fwhm_mev", "acoustic_broadening_uev_per_k", "lo_broadening_mev", "lo_phonon_mev",
        "band_edge_cross_section_cm2", "volume_fraction", "peak_gain_per_cm", "threshold_pairs", "spectrum",
    })  # fmt: skip

    model: Literal["constant"] = "constant"
    slope_per_cm: Positive
    transparency_pairs: NonNegative
    gain_window_nm: WavelengthRange

    @model_validator(mode="after")
    def _without_lines(self) -> Self:
        for name in sorted(self.idle & self.model_fields_set):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise RuleBroken("an emitter of constant gain has no such number", key=name)
        return self


def _model(emitter: Any) -> Any:
    return (
        emitter.get("model", Emitter.tag) if isinstance(emitter, Mapping) else getattr(emitter, "tag", None)
    )


def _untagged(content: Any) -> Any:
    if isinstance(content, Mapping) and content.get("model") == Emitter.tag:
        return {name: item for name, item in content.items() if name != "model"}
    return content


AnyEmitter = Annotated[
    Annotated[Emitter, BeforeValidator(_untagged), Tag("shells")]
    | Annotated[MeasuredEmitter, Tag("measured")]
    | Annotated[ConstantEmitter, Tag("constant")],
    Discriminator(_model),
]
"""What ``[emitter]`` may be."""


class Pump(Value):
    """The pump laser: photons per pair, wavelength, pulse.

    ``pulse_ns`` is the full width at half maximum; from :data:`QUASI_CW_NS` up a pulse counts as square and
    thresholds are intensities. ``absorption_cross_section_cm2`` is the shells' own at the pump wavelength,
    needed where the emitter's was given at another one. ``transmission`` is the share of the incident fluence
    that reaches the shells.
    """

    photons: Literal[1, 2] = 1
    wavelength_nm: Annotated[Wavelength, _assumed(None, "pump of the pillar laser; not published")] = 400.0
    pulse_ns: Annotated[
        Annotated[float, Field(ge=1e-7, le=1e9, strict=True)],
        _assumed(0.5e-4, "100 fs; 'fs pump' (review), length not published"),
    ] = 1e-4
    pulse_shape: Literal["gaussian", "sech2", "square"] = "gaussian"
    absorption_cross_section_cm2: CrossSection | None = None
    transmission: Annotated[
        Fraction, _assumed(0.3, "reflection of the pump and its decay in the film left out")
    ] = 1.0

    @property
    def quasi_cw(self) -> bool:
        """Whether the pulse is long enough for recombination during it to matter."""
        return self.pulse_ns >= QUASI_CW_NS
