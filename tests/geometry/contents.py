"""Small whole designs, as plain content, one of each family."""

from typing import Any

N1: dict[str, Any] = {"n": 1.0}

CONTENT: dict[str, dict[str, Any]] = {
    "nanopillar_array": {
        "name": "pillars",
        "family": "nanopillar_array",
        "lattice": {
            "kind": "square",
            "period_nm": {"value": 365.0, "source": "published", "note": "longest"},
        },
        "materials": {"film": {"n": {"value": 1.85, "source": "assumed", "plus_minus": 0.15}}},
        "pillar": {"height_nm": 150.0, "diameter_nm": 160.0, "material": {"n": 1.46}},
        "film": {"thickness_nm": 350.0, "material": "film"},
        "spacer": {"thickness_nm": 600.0, "material": {"library": "main/SiO2/Malitson"}},
        "substrate": {"library": "main/Si/Green-2008"},
        "device": {"periods": [17, 19]},
        "emitter": {"temperature_k": 77.0},
    },
    "pcsel": {
        "name": "pcsel",
        "family": "pcsel",
        "lattice": {"period_nm": 360.0},
        "grating": {
            "thickness_nm": 170.0,
            "material": {"n": 2.01},
            "duty_cycle": 0.7,
            "duty_cycle_of": "solid_area",
        },
        "infill": {"material": {"n": 1.8}},
        "overlayer": {"thickness_nm": 50.0, "material": {"n": 1.8}},
        "substrate": {"sellmeier": {"b": [1.1], "c_um2": [0.01], "range_nm": [300.0, 2000.0]}},
    },
    "two_mirror": {
        "name": "cavity",
        "family": "two_mirror",
        "front_mirror": {"design_wavelength_nm": 680.0, "pairs": 3, "high": {"n": 2.4}, "low": "silica"},
        "back_mirror": {"layers": [{"thickness_nm": 40.0, "material": {"n": 0.06, "k": 4.0}}]},
        "film": {
            "thickness_nm": 500.0,
            "material": {
                "film": {"fraction": 0.5, "inorganic": {"n": 2.5}, "ligand": {"cauchy": {"a": 1.46}}}
            },
        },
        "spacer": {"thickness_nm": 1000.0, "material": {"n": 1.49}},
        "materials": {"silica": {"n": 1.46}},
        "substrate": "silica",
    },
    "grating": {
        "name": "dfb",
        "family": "grating",
        "lattice": {"period_nm": 420.0},
        "materials": {"silica": {"n": 1.46}},
        "grating": {
            "thickness_nm": 100.0,
            "etch_depth_nm": 60.0,
            "material": "silica",
            "duty_cycle": 0.4,
            "duty_cycle_of": "ridge",
        },
        "film": {"thickness_nm": 180.0, "material": {"n": 1.85}},
        "underlayer": {"thickness_nm": 300.0, "material": "silica"},
        "substrate": {"n": 1.5},
        "device": {"periods": 500},
    },
    "stack": {
        "name": "free",
        "family": "stack",
        "lattice": {"kind": "hexagonal", "period_nm": 360.0},
        "layers": [
            {"material": N1},
            {
                "material": {"n": 2.0},
                "thickness_nm": 170.0,
                "inclusions": [
                    {"shape": "circle", "radius_nm": 111.25, "material": {"n": 1.85}, "gain": True},
                    {"shape": "rectangle", "size_nm": [60.0, 40.0], "rotation_deg": 20.0, "material": N1},
                ],
            },
            {"material": {"n": 1.46}, "quarter_wave_nm": 650.0},
            {"material": {"n": 1.46}},
        ],
    },
}
