"""When Python looks for cyclic garbage: not while a process imports, nor ever again among what it imported.

Both find nothing. Of a service's start the first costs an eighth, and of a full collection, which its event loop waits
for, the second costs most; the interpreter's end too looks through all that is not frozen, several times.
"""

import gc
from typing import Final

_USUAL: Final = gc.get_threshold()
_IMPORTED: Final = 200_000  # new objects; about what a service imports


def hold_back() -> None:
    """To be called before the imports. Who never calls `settle` has rare collections, not none."""
    gc.set_threshold(_IMPORTED)


def settle() -> None:
    """To be called when all that lives as long as the process is there."""
    gc.freeze()
    gc.set_threshold(*_USUAL)
