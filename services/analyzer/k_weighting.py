"""K-weighted power by ITU-R BS.1770-4, of a stream. Pure.

Only the power of what is weighted is needed, so it is measured by what the filters take away. From
some 5 kHz up they amplify all by the same g. A filter D with the same poles and |D|^2 = g^2 - |H|^2
(a spectral factor: Oppenheim and Schafer, "Discrete-Time Signal Processing") passes the rest only:
the power of H x is g^2 times that of x less that of D x, which has no treble, so that every fifth
of its samples or so tells its power.

D is run a block of samples at a time (Barnes and Shinnaka, "Block-shift invariance and block
implementation of discrete-time filters", IEEE Trans. Circuits and Systems 1980): what a block's own
samples x bring is a matrix product, what came before is in a few states s, and only these go from
block to block. By partial fractions each pair of poles p has one complex state, which a block
makes p^L s plus a weighted sum of its samples. Of the samples y = M x + O s only the power is
needed: |M x|^2 + 2 s (O' M x) + s (O' O) s, so that y itself is never made.
"""

import math
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.analyzer.k_filters import complement

BLOCK = 100
"""Samples, L above: whatever the rate, 100 hops are a whole number of such blocks."""
_STEPS = (10, 5, 2, 1)
_LEAST_HZ = 8_000
"""So many samples of D's output a second are looked at, or more."""
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

    def __call__(self, block: Samples, square: Hops) -> Hops:
        """The power of the next samples, (h,).

        Args:
            block: (channels, n), n a multiple of 100 but at the end.
            square: the mean square of each channel's hops, (channels, h).
        """
        channels, length = block.shape
        if length % BLOCK:  # the end: as if its last sample stayed
            block = np.pad(block, ((0, 0), (0, -length % BLOCK)), mode="edge")
        product = self._filter.product
        found = (block.reshape(-1, BLOCK) @ product).reshape(channels, -1, product.shape[1])
        own = found[..., :-8]
        energy = np.einsum("cnm,cnm->cn", own, own)
        pairs = np.ascontiguousarray(found[..., -8:].transpose(2, 0, 1))
        energy += self._of_before(pairs[:4], pairs[4:])
        weights = channel_weights(channels).astype(np.float64)
        sums = np.concatenate([[0.0], np.cumsum(weights @ energy)])
        # A hop that ends within a block has its share of it.
        ends = np.minimum(np.arange(0, length + self._hop, self._hop), length)
        places = np.arange(len(sums)) * float(BLOCK)
        taken = np.diff(np.interp(ends, places, sums)) / np.diff(ends)
        return np.asarray(np.maximum(self._filter.gain * (weights @ square) - taken, 0))

    def _of_before(self, entering: Samples, seen: Samples) -> Samples:
        """What earlier samples do to each block's energy: from twice (4, c, n) to (c, n)."""
        states = self._filter.recursion(entering[:2] + 1j * entering[2:], self._state)
        self._state = states[..., -1]
        before = states[..., :-1].astype(np.complex64)
        pairs = np.concatenate([before.real, before.imag])
        seen = seen + (self._filter.own_energy @ pairs.reshape(4, -1)).reshape(pairs.shape)
        seen *= pairs
        return np.asarray(seen.sum(axis=0))


class _Filter(NamedTuple):
    """What makes D's energy of blocks.

    Attributes:
        gain: g^2.
        product: what a block is multiplied by, (100, m + 8): m of D's own samples, what enters the
            states, what they see. Two complex numbers are four real ones, the imaginary parts last.
        recursion: of the states.
        own_energy: of what states alone put out, (4, 4).
    """

    gain: float
    product: Samples
    recursion: "_Recursion"
    own_energy: Samples


@lru_cache(maxsize=8)
def _filter(rate_hz: int) -> _Filter:
    gain, above, poles = complement(rate_hz)
    every = np.concatenate([poles, poles.conj()])
    residues = np.array(
        [np.polyval(above[::-1], 1 / pole) / np.prod(1 - every[every != pole] / pole)
         for pole in poles]
    )  # fmt: skip
    steps = np.arange(BLOCK)
    response = 2 * (residues[:, None] * poles[:, None] ** steps).real.sum(axis=0)
    response[0] = above[0]
    apart = steps - steps[:, None]
    every_so_many = next(step for step in _STEPS if step == 1 or rate_hz >= step * _LEAST_HZ)
    looked_at = slice(every_so_many // 2, None, every_so_many)
    # The energy of a block is that of the samples that are looked at, times `every_so_many`.
    own = np.where(apart >= 0, response[apart], 0.0)[:, looked_at] * math.sqrt(every_so_many)
    entering = _as_real(poles[:, None] ** (BLOCK - 1.0 - steps))
    leaving = _as_real(2 * (residues[:, None] * poles[:, None] ** (steps + 1.0)).conj())
    leaving = leaving[:, looked_at] * math.sqrt(every_so_many)
    product = np.concatenate([own, entering.T, own @ (2 * leaving).T], axis=1).astype(np.float32)
    own_energy = (leaving @ leaving.T).astype(np.float32)
    return _Filter(gain, product, _Recursion(poles**BLOCK, np.complex64), own_energy)


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
