"""K-weighted power by ITU-R BS.1770-4, of a stream. Pure.

K-weighting's two filters for any sample rate: De Man, "Evaluation of implementations of the EBU
R128 loudness measurement" (AES 2018), the analogue prototypes through the bilinear transform.

They are run a block of samples at a time (Barnes and Shinnaka, "Block-shift invariance and block
implementation of discrete-time filters", IEEE Trans. Circuits and Systems 1980): what a block's own
samples x bring is a matrix product, what came before is in a few states s, and only these go from
block to block. By partial fractions each pair of poles p has one complex state, which a block
makes p^L s plus a weighted sum of its samples. Of the weighted samples y = H x + O s only the
power is needed: |H x|^2 + 2 s (O' H x) + s (O' O) s, so that y itself is never made.
"""

import math
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 50
"""Samples, L above: whatever the rate, 50 hops are a whole number of such blocks."""
_AT_ONCE = 1_024
"""So many blocks fit a core's cache."""
_GROUP = 16
_SURROUND_WEIGHT = 1.41
Samples = NDArray[np.float32]
Hops = NDArray[np.float64]
States = NDArray[np.complexfloating]


class KWeighting:
    """Hears a stream; tells of each hop the K-weighted power, summed over the channels."""

    def __init__(self, rate_hz: int, hop: int) -> None:
        self._filter = _filter(rate_hz)
        self._hop = hop
        self._state: States = np.zeros((2, 1), np.complex128)

    def __call__(self, block: Samples) -> Hops:
        """The next samples, (channels, n), n a multiple of 50 but at the end; power, (h,)."""
        channels, length = block.shape
        if length % BLOCK:  # the end: as if its last sample stayed
            block = np.pad(block, ((0, 0), (0, -length % BLOCK)), mode="edge")
        blocks = block.reshape(channels, -1, BLOCK)
        energy = np.empty(blocks.shape[:2], np.float32)
        at_seams = np.empty((8, *energy.shape), np.float32)
        for channel in range(channels):
            for start in range(0, blocks.shape[1], _AT_ONCE):
                some = slice(start, start + _AT_ONCE)
                found = blocks[channel, some] @ self._filter.product
                own = found[:, :BLOCK]
                np.einsum("nl,nl->n", own, own, out=energy[channel, some])
                at_seams[:, channel, some] = found[:, BLOCK:].T
        energy += self._of_before(at_seams[:4], at_seams[4:])
        sums = np.zeros((channels, energy.shape[1] + 1))
        np.cumsum(energy, axis=1, out=sums[:, 1:])
        # A hop that ends within a block has its share of it.
        ends = np.minimum(np.arange(0, length + self._hop, self._hop), length)
        places = np.arange(sums.shape[1]) * float(BLOCK)
        hops = np.diff([np.interp(ends, places, row) for row in sums], axis=1) / np.diff(ends)
        weights = channel_weights(channels).astype(np.float64)
        return np.asarray(weights @ np.maximum(hops, 0))

    def _of_before(self, entering: Samples, seen: Samples) -> Samples:
        """What earlier samples do to each block's energy: from twice (4, c, n) to (c, n)."""
        states = self._filter.recursion(entering[:2] + 1j * entering[2:], self._state)
        self._state = states[..., -1]
        before = states[..., :-1].astype(np.complex64)
        pairs = np.concatenate([before.real, before.imag])
        seen += (self._filter.own_energy @ pairs.reshape(4, -1)).reshape(pairs.shape)
        seen *= pairs
        return np.asarray(seen.sum(axis=0))


class _Filter(NamedTuple):
    """What a block is multiplied by, (50, 58): own output, what enters the states, what they see.

    `recursion` of the states; `own_energy`: of what states alone put out, (4, 4). Two complex
    numbers are four real ones, the imaginary parts last.
    """

    product: Samples
    recursion: "_Recursion"
    own_energy: Samples


@lru_cache(maxsize=8)
def _filter(rate_hz: int) -> _Filter:
    filters = sections(rate_hz)
    roots = [np.emath.sqrt(a1 * a1 - 4 * a2) for *_, a1, a2 in filters]
    pairs = zip(roots, filters, strict=True)
    poles = np.array([(root - each[4]) / 2 for root, each in pairs], np.complex128)
    above = np.polymul(*(each[:3] for each in filters))
    every = np.concatenate([poles, poles.conj()])
    residues = np.array(
        [np.polyval(above[::-1], 1 / pole) / np.prod(1 - every[every != pole] / pole)
         for pole in poles]
    )  # fmt: skip
    steps = np.arange(BLOCK)
    response = 2 * (residues[:, None] * poles[:, None] ** steps).real.sum(axis=0)
    response[0] = above[0]
    apart = steps - steps[:, None]
    own = np.where(apart >= 0, response[apart], 0.0)
    entering = _as_real(poles[:, None] ** (BLOCK - 1.0 - steps))
    leaving = _as_real(2 * (residues[:, None] * poles[:, None] ** (steps + 1.0)).conj())
    product = np.concatenate([own, entering.T, 2 * own @ leaving.T], axis=1)
    own_energy = (leaving @ leaving.T).astype(np.float32)
    return _Filter(product.astype(np.float32), _Recursion(poles**BLOCK, np.complex64), own_energy)


def _as_real(rows: NDArray[np.complexfloating]) -> NDArray[np.float64]:
    """Real parts, then imaginary ones: from (2, ...) to (4, ...)."""
    return np.concatenate([rows.real, rows.imag])


class _Recursion:
    """s[n + 1] = p s[n] + brought[n], of each of two poles p and each channel.

    In groups: what is brought in within one is a matrix product; the states at their ends are the
    same recursion, a sixteenth as long and in double precision.
    """

    def __init__(self, poles: NDArray[np.complexfloating], kind: type[np.complexfloating]) -> None:
        self._poles = poles[:, None]
        steps = np.arange(_GROUP)
        apart = steps - steps[:, None]
        powers = poles[:, None, None] ** np.maximum(apart, 0)
        self._within = np.where(apart >= 0, powers, 0)[:, None].astype(kind)
        self._since = (self._poles ** (steps + 1))[:, None, None].astype(kind)

    @cached_property
    def _of_groups(self) -> "_Recursion":
        return _Recursion(self._poles[:, 0] ** _GROUP, np.complex128)

    def __call__(self, brought: States, state: States) -> States:
        """From what is brought, (2, c, n), and the first state to all states, (2, c, n + 1)."""
        _, channels, count = brought.shape
        states = np.empty((2, channels, count + 1), np.complex128)
        states[..., 0] = state
        if count <= _GROUP:
            for step in range(count):
                states[..., step + 1] = self._poles * states[..., step] + brought[..., step]
            return states
        padded = np.zeros((2, channels, count + -count % _GROUP), brought.dtype)
        padded[..., :count] = brought
        sums = padded.reshape(2, channels, -1, _GROUP) @ self._within
        before = self._of_groups(sums[..., -1], state)[..., :-1, None]
        sums += before.astype(sums.dtype) * self._since
        states[..., 1:] = sums.reshape(padded.shape)[..., :count]
        return states


def channel_weights(channels: int) -> Samples:
    """BS.1770's weights, (channels,): surrounds 1.41, LFE none. Order: L R C LFE Ls Rs ..."""
    weights: Samples = np.ones(channels, np.float32)
    if channels == 5:
        weights[3:] = _SURROUND_WEIGHT
    elif channels > 5:
        weights[3] = 0.0
        weights[4:] = _SURROUND_WEIGHT
    return weights


def sections(rate_hz: int) -> tuple[list[float], list[float]]:
    """The shelf and the high pass: b0, b1, b2 above, 1, a1, a2 below, each."""
    return _shelf(rate_hz), _high_pass(rate_hz)


def _shelf(rate_hz: int) -> list[float]:
    gain_db, f0, q = 3.999843853973347, 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * f0 / rate_hz)
    high = 10 ** (gain_db / 20)
    mid = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    return [
        (high + mid * k / q + k * k) / a0, 2 * (k * k - high) / a0,
        (high - mid * k / q + k * k) / a0,
        1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0,
    ]  # fmt: skip


def _high_pass(rate_hz: int) -> list[float]:
    f0, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * f0 / rate_hz)
    a0 = 1 + k / q + k * k
    return [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
