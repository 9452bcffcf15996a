"""Aligns sequences on one clock: PED eq 10-16, in one call or as a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np

from empathic_sdk.encoders.alignment.prepare import Preparation, Preparing, prepare_rows
from empathic_sdk.encoders.alignment.rows import Rows, empty, joined, once, rows_of
from empathic_sdk.encoders.alignment.windows import MEAN, Aggregate, windowed, windows
from empathic_sdk.errors import ConfigurationError, InputError
from empathic_sdk.types import AlignedWindows, FeatureSequence, Modality

MAX_WINDOWS = 1_000_000
"""Maximum number of windows: a time in the wrong unit would otherwise exhaust memory."""

Preparations = Preparation | Mapping[Modality, Preparation] | None


def align(
    sequences: Sequence[FeatureSequence],
    *,
    window_s: float,
    hop_s: float | None = None,
    until: float | None = None,
    causal: bool = True,
    origin: float = 0.0,
    preparation: Preparations = None,
    aggregates: Mapping[Modality, Aggregate] | None = None,
) -> AlignedWindows:
    """Clean sequences and put them on one clock of windows.

    Args:
        sequences: Of any modalities, in any order; several of one modality are concatenated.
            Times are on one clock, in seconds.
        window_s: Delta of PED eq 14.
        hop_s: Step from one window to the next; at most ``window_s``, the default, so that no
            row falls between two windows.
        until: Rows from this time on are ignored, and no window begins there; default: just after
            the last row.
        causal: Whether a window depends only on rows up to its end.
        origin: Start of the first window.
        preparation: Steps before windowing (see :class:`Preparation`), for all or by modality.
        aggregates: How the rows of a window become one, by modality; default: their mean.

    Returns:
        One row per window, from ``origin`` to ``until``, for every given modality. A window
        without a real row of a modality is zeros under a ``False`` mask. Without sequences and
        ``until`` there are no windows.

    Raises:
        InputError: A time is not finite or before ``origin``; sequences of one modality differ
            in width; there would be more than ``MAX_WINDOWS`` windows.
        ConfigurationError: An argument is out of its range.
    """
    plan = _Plan(window_s, hop_s, origin, preparation, aggregates)
    if until is not None and not np.isfinite(until):
        raise ConfigurationError(f"until must be a finite time in seconds, not {until!r}")
    found: dict[Modality, Rows] = {}
    for modality, several in _by_modality(sequences).items():
        parts = [plan.checked(s) for s in several]
        widths = {p.width for p in parts}
        if len(widths) > 1:
            raise InputError(f"sequences of {modality} have different widths: {sorted(widths)}")
        rows = joined(parts)
        rows = rows.take(np.argsort(rows.times, kind="stable"))
        if until is not None:
            rows = rows.take(rows.times < until)
        found[modality] = prepare_rows(once(rows), plan.preparation(modality), causal=causal)
    if until is None:
        last = max((float(r.times[-1]) for r in found.values() if len(r)), default=-np.inf)
        until = float(np.nextafter(last, np.inf))
    return plan.aligned(found, *plan.windows(until))


class Aligner:
    """:func:`align` as a stream: takes chunks, returns each window once it is final.

    The windows equal those of the causal :func:`align` over all chunks bit for bit, however the
    sequences are cut.

    Args:
        widths: The accepted modalities, with the width of a row of each.
        window_s: As in :func:`align`, like the other arguments.

    A window is ready when every modality has passed its end. If one never
    arrives, move the clock on with :meth:`advance`.
    """

    def __init__(
        self,
        widths: Mapping[Modality, int],
        *,
        window_s: float,
        hop_s: float | None = None,
        origin: float = 0.0,
        preparation: Preparations = None,
        aggregates: Mapping[Modality, Aggregate] | None = None,
    ) -> None:
        if not widths or min(widths.values()) < 1:
            raise ConfigurationError("widths must name at least one modality, each 1 or wider")
        self._plan = _Plan(window_s, hop_s, origin, preparation, aggregates)
        self._order = [m for m in Modality if m in widths]
        self._streams = {m: _Stream(widths[m], self._plan.preparation(m)) for m in self._order}
        self._next = 0  # number of the next window
        self._now = origin
        self._finished = False

    def push(self, sequence: FeatureSequence) -> AlignedWindows:
        """Take a chunk of one modality; return the windows that are ready now.

        A chunk may be out of order inside. Rows earlier than this modality's last ones, or
        than the time given to :meth:`advance`, are refused, and nothing changes.

        Raises:
            InputError: There are such rows, or the modality, a width or a time is invalid.
        """
        self._open()
        stream = self._streams.get(sequence.modality)
        if stream is None:
            raise InputError(
                f"this clock knows {', '.join(self._order)}; there is no {sequence.modality}"
            )
        if sequence.values.shape[1] != stream.width:
            raise InputError(
                f"rows of {sequence.modality} are {stream.width} wide, not "
                f"{sequence.values.shape[1]}"
            )
        rows = self._plan.checked(sequence)
        passed = max(stream.passed, self._now)
        if len(rows) and rows.times[0] < passed:
            raise InputError(
                f"{sequence.modality}: a row at {rows.times[0]:g} s comes late, the clock is at "
                f"{passed:g} s; collect what comes out of order and push it together"
            )
        stream.push(rows)
        return self._ready(min(s.passed for s in self._streams.values()))

    def advance(self, now: float) -> AlignedWindows:
        """Declare that no rows from before ``now`` will follow; return the ready windows.

        Raises:
            InputError: ``now`` is not finite.
        """
        self._open()
        if not np.isfinite(now):
            raise InputError(f"the time must be a finite number of seconds, not {now!r}")
        self._plan.reachable(now)
        self._now = max(self._now, now)
        return self._ready(min(s.passed for s in self._streams.values()))

    def finish(self, until: float | None = None) -> AlignedWindows:
        """Return the remaining windows; nothing can be pushed afterwards.

        Args:
            until: As in :func:`align`, but rows at or after it must not have been pushed.

        Raises:
            InputError: Rows from ``until`` on have been pushed.
        """
        self._open()
        last = max(s.passed for s in self._streams.values())
        if until is None:
            until = max(self._now, float(np.nextafter(last, np.inf)))
        elif not (np.isfinite(until) and until > last and until >= self._now):
            raise InputError(
                f"rows up to {last:g} s have come and the clock is at {self._now:g} s; it cannot "
                f"end at {until!r}"
            )
        self._finished = True
        return self._emit(*self._plan.windows(until, self._next))

    def _open(self) -> None:
        if self._finished:
            raise InputError("this clock has finished; make another one")

    def _ready(self, watermark: float) -> AlignedWindows:
        """Return the windows that end at or before what every modality has passed."""
        watermark = max(watermark, self._now)
        starts, ends = self._plan.windows(watermark, self._next)
        return self._emit(starts[ends <= watermark], ends[ends <= watermark])

    def _emit(self, starts: np.ndarray, ends: np.ndarray) -> AlignedWindows:
        rows = {m: self._streams[m].waiting for m in self._order}
        out = self._plan.aligned(rows, starts, ends)
        self._next += len(starts)
        begin = self._plan.origin + self._next * self._plan.hop_s
        for stream in self._streams.values():
            stream.forget(begin)
        return out


class _Stream:
    """One modality: its preparation steps, and the rows that open windows still need."""

    def __init__(self, width: int, preparation: Preparation) -> None:
        self.width = width
        self.passed = -np.inf  # nothing earlier will come
        self.waiting = empty(width)
        self._steps = Preparing(preparation)
        self._moment = empty(width)  # rows of the last moment, as they came

    def push(self, rows: Rows) -> None:
        fresh = once(rows, self._moment)
        if not len(rows):
            return
        if rows.times[-1] > self.passed:
            self._moment = empty(self.width)
        self.passed = float(rows.times[-1])
        self._moment = joined([self._moment, fresh.take(fresh.times == self.passed)])
        if len(fresh):
            self.waiting = joined([self.waiting, self._steps.push(fresh)])

    def forget(self, before: float) -> None:
        self.waiting = self.waiting.take(self.waiting.times >= before)


class _Plan:
    """The checked arguments that both forms share."""

    def __init__(
        self,
        window_s: float,
        hop_s: float | None,
        origin: float,
        preparation: Preparations,
        aggregates: Mapping[Modality, Aggregate] | None,
    ) -> None:
        hop_s = window_s if hop_s is None else hop_s
        for seconds in (window_s, hop_s):
            if isinstance(seconds, bool) or not isinstance(seconds, Real):
                raise ConfigurationError(
                    f"window_s and hop_s must be numbers of seconds, not {type(seconds).__name__}"
                )
        if not (np.isfinite(window_s) and 0 < hop_s <= window_s):
            raise ConfigurationError(
                f"window_s must be above 0 and hop_s above 0 and at most window_s, not "
                f"{window_s!r} and {hop_s!r}"
            )
        if not np.isfinite(origin):
            raise ConfigurationError(f"origin must be a finite time in seconds, not {origin!r}")
        self.window_s, self.hop_s, self.origin = float(window_s), float(hop_s), float(origin)
        self._preparation = preparation
        self._aggregates = dict(aggregates or {})

    def preparation(self, modality: Modality) -> Preparation:
        if isinstance(self._preparation, Preparation):
            return self._preparation
        return (self._preparation or {}).get(modality, Preparation())

    def checked(self, sequence: FeatureSequence) -> Rows:
        """Return a sequence's rows in order of time; raise if one precedes the origin."""
        rows = rows_of(sequence)
        if len(rows) and rows.times[0] < self.origin:
            raise InputError(
                f"{sequence.modality}: a row at {rows.times[0]:g} s lies before the clock begins, "
                f"at {self.origin:g} s; give an earlier origin"
            )
        if len(rows):
            self.reachable(float(rows.times[-1]))
        return rows

    def reachable(self, time: float) -> None:
        """Raise if a time is too far from the origin."""
        if (time - self.origin) / self.hop_s > MAX_WINDOWS:
            raise InputError(
                f"from {self.origin:g} s to {time:g} s there are more than {MAX_WINDOWS:,} "
                "windows; is a time in milliseconds?"
            )

    def windows(self, until: float, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return starts and ends of the windows from number ``first``, up to ``until``."""
        self.reachable(until)
        return windows(until, self.window_s, self.hop_s, origin=self.origin, first=first)

    def aligned(
        self, rows: Mapping[Modality, Rows], starts: np.ndarray, ends: np.ndarray
    ) -> AlignedWindows:
        values: dict[Modality, np.ndarray] = {}
        masks: dict[Modality, np.ndarray] = {}
        for modality in Modality:
            if modality in rows:
                aggregate = self._aggregates.get(modality, MEAN)
                values[modality], masks[modality] = windowed(
                    rows[modality], starts, ends, self.window_s, aggregate
                )
        return AlignedWindows(times=starts, window_s=self.window_s, values=values, masks=masks)


def _by_modality(
    sequences: Sequence[FeatureSequence],
) -> dict[Modality, list[FeatureSequence]]:
    out: dict[Modality, list[FeatureSequence]] = {}
    for sequence in sequences:
        out.setdefault(sequence.modality, []).append(sequence)
    return out
