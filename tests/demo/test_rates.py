"""Limits and waits, with a clock of the test's own; memory stays bounded whoever comes."""

from __future__ import annotations

import pytest

from empathic_sdk.demo.rates import LoginThrottle, OpenStreams, RateLimiter, address_key


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_granted_then_the_rate(clock: Clock) -> None:
    limiter = RateLimiter(burst=3, rate=0.5, remembered=10, clock=clock)
    assert [limiter.take("ada") for _ in range(3)] == [0.0] * 3
    assert limiter.take("ada") == pytest.approx(2.0)
    assert limiter.take("bob") == 0.0
    clock.now += 2.0
    assert limiter.take("ada") == 0.0
    assert limiter.take("ada") > 0
    clock.now += 3600
    assert [limiter.take("ada") for _ in range(4)][:3] == [0.0] * 3


def test_refused_requests_do_not_lengthen_the_wait(clock: Clock) -> None:
    limiter = RateLimiter(burst=1, rate=1.0, remembered=10, clock=clock)
    limiter.take("ada")
    for _ in range(100):
        assert limiter.take("ada") == pytest.approx(1.0)


def test_a_limiter_remembers_so_many_and_no_more(clock: Clock) -> None:
    limiter = RateLimiter(burst=1, rate=0.001, remembered=50, clock=clock)
    limiter.take("ada")
    for i in range(10_000):
        limiter.take(f"stranger-{i}")
        limiter.take("ada")  # who keeps asking is not forgotten
    assert len(limiter) == 50
    assert limiter.take("ada") > 0


def test_open_streams() -> None:
    streams = OpenStreams(2)
    assert streams.begin("ada") and streams.begin("ada") and not streams.begin("ada")
    assert streams.begin("bob")
    streams.end("ada")
    assert streams.begin("ada")
    for who in ("ada", "ada", "bob"):
        streams.end(who)
    assert len(streams) == 0


def test_addresses_of_one_customer_are_one() -> None:
    assert address_key("2001:db8:1:2::3") == address_key("2001:db8:1:2:ffff::9")
    assert address_key("2001:db8:1:3::3") != address_key("2001:db8:1:2::3")
    assert address_key("::ffff:192.0.2.7") == address_key("192.0.2.7") == "192.0.2.7"
    assert address_key(None) == address_key("no address") == "unknown"


def test_each_wrong_password_doubles_the_wait(clock: Clock) -> None:
    throttle = LoginThrottle(["ada"], free=3, clock=clock)
    waits = []
    for _ in range(14):
        waits.append(throttle.wait("192.0.2.7", "ada"))
        clock.now += waits[-1]
        throttle.failed("192.0.2.7", "ada")
    assert waits[:7] == [0, 0, 0, 1, 2, 4, 8] and waits[12:] == [512, 900]
    throttle.succeeded("192.0.2.7", "ada")
    assert throttle.wait("192.0.2.7", "ada") == 0.0


def test_many_addresses_slow_down_one_account_and_one_address_many_accounts(clock: Clock) -> None:
    throttle = LoginThrottle(["ada", "bob"], clock=clock)
    for i in range(10):
        throttle.failed(f"192.0.2.{i}", "ada")
    assert throttle.wait("198.51.100.1", "ada") == 60.0  # a stranger shuts nobody out for long
    assert throttle.wait("198.51.100.1", "bob") == 0.0
    for name in ("bob", "eve", "mallory", "trent"):
        throttle.failed("203.0.113.1", name)
    assert throttle.wait("203.0.113.1", "somebody new") == 2.0


def test_waiting_does_not_tell_which_names_exist(clock: Clock) -> None:
    throttle = LoginThrottle(["ada"], clock=clock)
    for i in range(8):
        throttle.failed(f"192.0.2.{i}", "ada")
        throttle.failed(f"198.51.100.{i}", "nobody")
    assert throttle.wait("203.0.113.1", "ada") == throttle.wait("203.0.113.1", "nobody") > 0


def test_failures_take_bounded_memory_and_no_account_s_are_washed_out(clock: Clock) -> None:
    throttle = LoginThrottle(["ada"], remembered=100, clock=clock)
    for _ in range(8):
        throttle.failed("192.0.2.7", "ada")
    for i in range(5_000):
        throttle.failed(f"10.0.{i // 256}.{i % 256}", f"name-{i}")
    assert len(throttle) <= 101
    assert throttle.wait("203.0.113.1", "ada") > 0
