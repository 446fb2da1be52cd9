"""Array functions that the solvers share: complex index, slab algebra, Fourier factorisation. No I/O but the
index library."""
