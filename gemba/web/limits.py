"""How often one address may ask: the limiter that views put their own limits on."""

import threading
import time

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.storage import Storage

limiter = Limiter(get_remote_address, default_limits=["6000 per minute"], headers_enabled=True)
SWEEP_SECONDS = 60


class ProcessMemory(Storage):
    """Counters of one process, for fixed windows.

    The library's own memory starts a thread for every hundredth of a second that has a request in it, which
    costs more than reading a token; here what has run out is swept once a minute by whoever comes first.
    """

    STORAGE_SCHEME = ["process"]

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self._swept_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing here can fail in a way of its own."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Adds to a counter that ends `expiry` seconds after its first count; returns it."""
        at = time.time()
        with self._lock:
            if at - self._swept_at >= SWEEP_SECONDS:
                self._swept_at = at
                self._counts = {name: kept for name, kept in self._counts.items() if kept[1] > at}
            count, ends = self._counts.get(key, (0, 0.0))
            kept = (count + amount, ends) if ends > at else (amount, at + expiry)
            self._counts[key] = kept
            return kept[0]

    def get(self, key: str) -> int:
        """The counter, 0 where it has ended."""
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the counter ends, in seconds from 1970; now where there is none."""
        return max(self._counts.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        """It is always there."""
        return True

    def reset(self) -> int:
        """Forgets everything; returns how many counters there were."""
        count = len(self._counts)
        self._counts = {}
        return count

    def clear(self, key: str) -> None:
        """Forgets one counter."""
        self._counts.pop(key, None)
