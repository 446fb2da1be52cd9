"""Tables of n and k as instruments, papers and refractiveindex.info write them."""

import pytest

from cavitydesign import units
from cavitydesign.errors import InputError
from cavitydesign.geometry.index_table import read_index_table

N, K = (1.90, 1.85, 1.82, 1.80), (0.1, 0.05, 0.01, 0.0)
ROWS = list(zip((500.0, 600.0, 700.0, 800.0), N, K, strict=True))


def text(header, *, delimiter=",", axis=lambda w: f"{w:g}", decimal="."):
    rows = [delimiter.join((axis(w), f"{n}", f"{k}")) for w, n, k in ROWS]
    return header + "\n" + "\n".join(rows).replace(".", decimal) + "\n"


def um(w):
    return f"{w / 1000:g}"


def ev(w):
    return repr(units.nm_to_ev(w))


def read(tmp_path, content, encoding="utf-8"):
    path = tmp_path / "film.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read_index_table(path, shown="film.csv", key="film.table")


FILES = {
    "plain": text("wavelength_nm,n,k"),
    "capitals": text("Wavelength (nm),N,K"),
    "refractiveindex.info": text("wl,n,k", axis=um),
    "semicolons and decimal commas": text("Wavelength (nm);n;k", delimiter=";", decimal=","),
    "tabs and decimal commas": text("Wellenlänge / nm\tn\tk", delimiter="\t", decimal=","),
    "spaces and decimal commas": text("lambda(nm)  n  k", delimiter="   ", decimal=","),
    "spaces, unit apart": text("  Wavelength (nm)   n   k", delimiter="  "),
    "µm": text("Wavelength (µm)\tn\tk", delimiter="\t", axis=um),
    "micro sign of another alphabet": text("λ [μm];n;k", delimiter=";", axis=um),
    "um": text("wavelength_um,n,k", axis=um),
    "ångström": text("Wavelength (Å),n,k", axis=lambda w: f"{10 * w:g}"),
    "energy": text("Photon Energy (eV),n,k", axis=ev),
    "energy, spaces": text("Photon energy (eV)   n   k", delimiter=" ", axis=ev),
    "eV alone": text("eV\tn\tk", delimiter="\t", axis=ev),
    "header lines above": text("Sample 3, spot 2\n2024-05-17 10:12\n\nWavelength (nm)\tn\tk", delimiter="\t"),
    "unit below": text("Wavelength\tn\tk\nnm\t\t", delimiter="\t"),
    "Woollam": text("QS FILM\nnm\nNK", delimiter="  "),
    "other columns": "Wavelength (nm),MSE,n,k\n" + "".join(f"{w:g},0.1,{n},{k}\n" for w, n, k in ROWS),
    "falling": "wavelength_nm,n,k\n" + "".join(f"{w:g},{n},{k}\n" for w, n, k in reversed(ROWS)),
    "a row twice": text("wavelength_nm,n,k") + "800,1.8,0.0\n",
    "two blocks": "wl,n\n"
    + "".join(f"{um(w)},{n}\n" for w, n, _ in ROWS)
    + "\nwl,k\n"
    + "".join(f"{um(w)},{k}\n" for w, _, k in ROWS),
    "comments": "# by hand\n" + text("wavelength_nm,n,k"),
    "ε": "wavelength_nm,eps1,eps2\n"
    + "".join(f"{w:g},{((n + 1j * k) ** 2).real!r},{((n + 1j * k) ** 2).imag!r}\n" for w, n, k in ROWS),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_as_they_come(tmp_path, content, encoding):
    found = read(tmp_path, content, encoding)
    assert found["wavelengths_nm"] == pytest.approx((500.0, 600.0, 700.0, 800.0), rel=1e-14)
    assert found["n"] == pytest.approx(N, rel=1e-14)
    assert found["k"] == pytest.approx(K, rel=1e-13, abs=1e-15)
    assert "k_wavelengths_nm" not in found


def test_latin_1(tmp_path):
    found = read(tmp_path, text("Wavelength (µm)\tn\tk", delimiter="\t", axis=um), "latin-1")
    assert found["wavelengths_nm"] == pytest.approx((500.0, 600.0, 700.0, 800.0))


def test_what_is_guessed_is_said(tmp_path):
    assert read(tmp_path, FILES["plain"])["table"] == "film.csv"
    assert (
        read(tmp_path, FILES["refractiveindex.info"])["table"]
        == "film.csv (no unit in its header, taken as µm)"
    )
    assert read(tmp_path, text("wl,n,k"))["table"] == "film.csv (no unit in its header, taken as nm)"


def test_n_and_k_may_have_rows_of_their_own(tmp_path):
    found = read(
        tmp_path, "wl,n\n0.4,1.9\n0.5,1.85\n0.6,1.82\n0.7,1.8\n\nwl,k\n0.4,0.2\n0.45,0.1\n0.5,0.02\n"
    )
    assert found["wavelengths_nm"] == pytest.approx((400.0, 500.0, 600.0, 700.0))
    assert found["k_wavelengths_nm"] == pytest.approx((400.0, 450.0, 500.0))
    assert found["k"] == (0.2, 0.1, 0.02)


def test_empty_cells_of_k_are_unknown(tmp_path):
    found = read(tmp_path, "wavelength_nm,n,k\n400,1.9,0.2\n500,1.85,0.1\n600,1.82,\n700,1.8,\n")
    assert found["k_wavelengths_nm"] == (400.0, 500.0)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("name,n,k\n500,1.9,0.1\n", "has no column n; its header is name,n,k"),
        (
            "wl,n\n30,1.9\n40,1.9\n50,1.9\n60,1.9\n",
            "column wl: names no unit, and its numbers may be nm, µm or eV",
        ),
        ("e,n\n1.5,1.9\n2,1.9\n2.5,1.9\n3,1.9\n", "column e: names no unit"),
    ],
)
def test_what_cannot_be_told(tmp_path, content, told):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert told in str(caught.value)


def test_everything_wrong_is_told_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "wavelength_nm,n,k\n500,x,0.1\n600,-1,0.1\n700,1.8,nan\n700,1.7,0.1\n")
    lines = caught.value.lines
    assert [line.partition("film.csv: ")[2] for line in lines] == [
        "line 2, column n: must be a number, got 'x'",
        "line 3, column n: must be > 0, got -1.0",
        "line 4, column k: must be a finite number, got 'nan'",
        "line 5, column n: the wavelength 700 nm stands there twice, first with n = 1.8, got 1.7",
    ]
