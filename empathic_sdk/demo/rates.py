"""Rate limits: token buckets, and delays after wrong passwords, in bounded memory."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

Clock = Callable[[], float]


def address_key(address: str | None) -> str:
    """Return what stands for an address: an IPv6 network of one customer counts as one (/64)."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class RateLimiter:
    """A token bucket for each key.

    Args:
        burst: Tokens of a full bucket.
        rate: Tokens that flow in each second.
        remembered: Keys kept; beyond it the longest silent one starts afresh.
        clock: Seconds that never go back.
    """

    def __init__(
        self, *, burst: float, rate: float, remembered: int, clock: Clock = time.monotonic
    ) -> None:
        self._burst, self._rate, self._remembered = float(burst), rate, remembered
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, cost: float = 1.0) -> float:
        """Take tokens; return 0.0, or the seconds after which there are enough of them."""
        now = self._clock()
        tokens, then = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        granted = tokens >= cost
        self._buckets[key] = (tokens - cost if granted else tokens, now)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (cost - tokens) / self._rate


class OpenStreams:
    """Counts what is open for each key; a key with nothing open takes no memory.

    Args:
        most: Open at once for one key.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def begin(self, key: str) -> bool:
        """Count one more, unless there are too many already."""
        if self._open.get(key, 0) >= self._most:
            return False
        self._open[key] = self._open.get(key, 0) + 1
        return True

    def end(self, key: str) -> None:
        """Count one less."""
        left = self._open[key] - 1
        if left:
            self._open[key] = left
        else:
            del self._open[key]


class LoginThrottle:
    """Makes guessing passwords slow: each failure doubles the wait, per address and per account.

    Args:
        accounts: The accounts there are. Failures for other names are counted too, so that
            waiting tells nobody which names exist.
        free: Failures without a wait.
        longest_address: Seconds that an address waits at most.
        longest_account: The same for an account; short, because strangers can cause it.
        remembered: Addresses, and names of no account, kept.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        accounts: Iterable[str],
        *,
        free: int = 3,
        longest_address: float = 900.0,
        longest_account: float = 60.0,
        remembered: int = 10_000,
        clock: Clock = time.monotonic,
    ) -> None:
        self._free, self._clock, self._remembered = free, clock, remembered
        self._longest = {"address": longest_address, "account": longest_account}
        self._known = frozenset(map(_account_key, accounts))
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._of_accounts: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._failures) + len(self._of_accounts)

    def wait(self, address: str, account: str) -> float:
        """Return the seconds until the next try may be looked at; 0.0 is now."""
        now = self._clock()
        return max(0.0, *(self._until(kind, key) - now for kind, key in _keys(address, account)))

    def failed(self, address: str, account: str) -> None:
        """Note a wrong password."""
        for _, key in _keys(address, account):
            if key in self._known:  # never dropped, however many names are tried meanwhile
                self._of_accounts[key] = (self._count(key) + 1, self._clock())
                continue
            self._failures[key] = (self._count(key) + 1, self._clock())
            self._failures.move_to_end(key)
            if len(self._failures) > self._remembered:
                self._failures.popitem(last=False)

    def succeeded(self, address: str, account: str) -> None:
        """Forget the failures of somebody who knew the password."""
        for _, key in _keys(address, account):
            self._failures.pop(key, None)
            self._of_accounts.pop(key, None)

    def _count(self, key: str) -> int:
        return (self._of_accounts.get(key) or self._failures.get(key) or (0, 0.0))[0]

    def _until(self, kind: str, key: str) -> float:
        count, at = self._of_accounts.get(key) or self._failures.get(key) or (0, 0.0)
        if count < self._free:
            return 0.0
        return at + min(2.0 ** min(count - self._free, 30), self._longest[kind])


def _keys(address: str, account: str) -> tuple[tuple[str, str], ...]:
    return ("address", f"address {address_key(address)}"), ("account", _account_key(account))


def _account_key(account: str) -> str:
    return "account " + hashlib.sha256(account.encode("utf-8", "replace")).hexdigest()
