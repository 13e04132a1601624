"""One thread for each numeric library: on few cores, more of them make small problems a hundred times slower.

The libraries read these variables when they are first imported, so this module imports nothing but the
standard library and every entry point calls it first.
"""

import os

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def limit_threads() -> None:
    """Set every library's thread count to 1, unless the user has said otherwise. Call it before numpy is imported."""
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")
