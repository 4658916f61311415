"""K-weighted power of a stream by ITU-R BS.1770-4. Pure.

The K-weighting filter H is a shelf and a high pass. Only the power of its output is needed, and
this computes it without the output. Above some 5 kHz H amplifies everything by the same gain g. A
filter D with the same poles and |D|^2 = g^2 - |H|^2 (a spectral factor: Oppenheim and Schafer,
"Discrete-Time Signal Processing") passes only the rest, so the power of H x is g^2 times the power
of x, less the power of D x. D x has no treble: every fifth of its samples or so gives its power.

D runs over blocks of samples (Barnes and Shinnaka, "Block-shift invariance and block
implementation of discrete-time filters", IEEE Trans. Circuits and Systems 1980). The output of a
block is y = M x + O s: M x comes from the block's own samples, a matrix product, and O s from a few
states s, which carry what came before from block to block. By partial fractions, each pair of
poles p has one complex state; a block of length L turns it into p^L s plus a weighted sum of its
samples. The energy is |M x|^2 + 2 s (O' M x) + s (O' O) s, so y itself is never computed.

Filters for any sample rate: De Man, "Evaluation of implementations of the EBU R128 loudness
measurement" (AES 2018): the analogue prototypes through the bilinear transform.
"""

import cmath
import math
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.analyzer.decode.audio import default_layout

BLOCK = 100
"""Samples of a block, L above. At any sample rate 100 hops are a whole number of these blocks."""
_DECIMATIONS = (10, 5, 2, 1)
_MIN_RATE_HZ = 8_000
"""D's output is decimated to this rate at the lowest."""
_GROUP = 16
_SURROUND_WEIGHT = 1.41
_SURROUNDS = frozenset({"BL", "BR", "BC", "SL", "SR", "TBL", "TBR", "TBC", "SDL", "SDR"})
"""FFmpeg's names of the channels beside and behind the listener."""
Samples = NDArray[np.float32]
Hops = NDArray[np.float64]
States = NDArray[np.complexfloating]
RationalFunction = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Coefficients of the numerator and of the denominator, highest power first."""


class KWeighting:
    """Computes the K-weighted power of a stream, hop by hop, summed over the channels.

    Args:
        rate_hz: sample rate.
        hop: length of a hop in samples.
        layout: FFmpeg's names of the channels, empty where they are not known.
    """

    def __init__(self, rate_hz: int, hop: int, layout: Sequence[str] = ()) -> None:
        self._filter = _block_filter(rate_hz)
        self._layout = tuple(layout)
        self._hop = hop
        self._state: States = np.zeros((2, 1), np.complex128)

    def __call__(self, block: Samples, mean_squares: Hops) -> Hops:
        """The power of the next samples, (h,).

        Args:
            block: (channels, n), n a multiple of 100 except at the end of the stream.
            mean_squares: mean square of each channel's hops, (channels, h).
        """
        channels, length = block.shape
        if length % BLOCK:  # the end of the stream: its last sample is repeated
            block = np.pad(block, ((0, 0), (0, -length % BLOCK)), mode="edge")
        product = self._filter.product
        outputs = (block.reshape(-1, BLOCK) @ product).reshape(channels, -1, product.shape[1])
        own = outputs[..., :-8]
        energy = np.einsum("cnm,cnm->cn", own, own)
        pairs = np.ascontiguousarray(outputs[..., -8:].transpose(2, 0, 1))
        energy += self._energy_of_states(pairs[:4], pairs[4:])
        weights = channel_weights(self._layout or default_layout(channels)).astype(np.float64)
        sums = np.concatenate([[0.0], np.cumsum(weights @ energy)])
        # Hops need not end with a block: the sums are interpolated at their ends.
        ends = np.minimum(np.arange(0, length + self._hop, self._hop), length)
        positions = np.arange(len(sums)) * float(BLOCK)
        removed = np.diff(np.interp(ends, positions, sums)) / np.diff(ends)
        return np.asarray(np.maximum(self._filter.gain * (weights @ mean_squares) - removed, 0))

    def _energy_of_states(self, inputs: Samples, outputs: Samples) -> Samples:
        """What earlier samples add to each block's energy, (channels, blocks).

        Args:
            inputs: what each block adds to the two states, (4, channels, blocks).
            outputs: O' M x of each block, (4, channels, blocks).
        """
        states = self._filter.recursion(inputs[:2] + 1j * inputs[2:], self._state)
        self._state = states[..., -1]
        before = states[..., :-1].astype(np.complex64)
        pairs = np.concatenate([before.real, before.imag])
        outputs = outputs + (self._filter.state_energy @ pairs.reshape(4, -1)).reshape(pairs.shape)
        outputs *= pairs
        return np.asarray(outputs.sum(axis=0))


class _BlockFilter(NamedTuple):
    """The filter D as matrices for blocks.

    Two complex numbers are stored as four real ones, the imaginary parts last.

    Attributes:
        gain: g^2.
        product: multiplies a block, (100, m + 8): m samples of M x, then the states' inputs (4),
            then O' M x (4).
        recursion: computes the states.
        state_energy: O' O, (4, 4).
    """

    gain: float
    product: Samples
    recursion: "_Recursion"
    state_energy: Samples


@lru_cache(maxsize=8)
def _block_filter(rate_hz: int) -> _BlockFilter:
    gain, numerator, poles = _complement(rate_hz)
    all_poles = np.concatenate([poles, poles.conj()])
    residues = np.array(
        [np.polyval(numerator[::-1], 1 / pole) / np.prod(1 - all_poles[all_poles != pole] / pole)
         for pole in poles]
    )  # fmt: skip
    steps = np.arange(BLOCK)
    impulse_response = 2 * (residues[:, None] * poles[:, None] ** steps).real.sum(axis=0)
    impulse_response[0] = numerator[0]
    delays = steps - steps[:, None]
    decimation = next(step for step in _DECIMATIONS if step == 1 or rate_hz >= step * _MIN_RATE_HZ)
    kept = slice(decimation // 2, None, decimation)
    # The energy of a block is that of the samples kept, times the decimation.
    own = np.where(delays >= 0, impulse_response[delays], 0.0)[:, kept] * math.sqrt(decimation)
    inputs = _as_real(poles[:, None] ** (BLOCK - 1.0 - steps))
    outputs = _as_real(2 * (residues[:, None] * poles[:, None] ** (steps + 1.0)).conj())
    outputs = outputs[:, kept] * math.sqrt(decimation)
    product = np.concatenate([own, inputs.T, own @ (2 * outputs).T], axis=1).astype(np.float32)
    state_energy = (outputs @ outputs.T).astype(np.float32)
    return _BlockFilter(gain, product, _Recursion(poles**BLOCK, np.complex64), state_energy)


def _as_real(rows: NDArray[np.complexfloating]) -> NDArray[np.float64]:
    """Real parts, then imaginary parts: from (2, ...) to (4, ...)."""
    return np.concatenate([rows.real, rows.imag])


class _Recursion:
    """s[n + 1] = p s[n] + input[n], for each of two poles p and each channel.

    Computed in groups of 16 steps: within a group by a matrix product; the states at the ends of
    the groups follow the same recursion, a sixteenth as long and in double precision.
    """

    def __init__(self, poles: NDArray[np.complexfloating], dtype: type[np.complexfloating]) -> None:
        self._poles = poles[:, None]
        steps = np.arange(_GROUP)
        delays = steps - steps[:, None]
        powers = poles[:, None, None] ** np.maximum(delays, 0)
        self._inputs_in_group = np.where(delays >= 0, powers, 0)[:, None].astype(dtype)
        self._state_in_group = (self._poles ** (steps + 1))[:, None, None].astype(dtype)

    @cached_property
    def _over_groups(self) -> "_Recursion":
        return _Recursion(self._poles[:, 0] ** _GROUP, np.complex128)

    def __call__(self, inputs: States, state: States) -> States:
        """All states, (2, channels, n + 1), from the inputs, (2, channels, n), and the first."""
        _, channels, count = inputs.shape
        states = np.empty((2, channels, count + 1), np.complex128)
        states[..., 0] = state
        if count <= _GROUP:
            for step in range(count):
                states[..., step + 1] = self._poles * states[..., step] + inputs[..., step]
            return states
        padded = np.zeros((2, channels, count + -count % _GROUP), inputs.dtype)
        padded[..., :count] = inputs
        sums = padded.reshape(2, channels, -1, _GROUP) @ self._inputs_in_group
        before = self._over_groups(sums[..., -1], state)[..., :-1, None]
        sums += before.astype(sums.dtype) * self._state_in_group
        states[..., 1:] = sums.reshape(padded.shape)[..., :count]
        return states


def channel_weights(layout: Sequence[str]) -> Samples:
    """BS.1770's weights by FFmpeg's names of the channels, (channels,).

    Those beside and behind the listener 1.41, low-frequency effects 0, all others 1, as FFmpeg's
    filter `ebur128` has them.
    """
    weights = [
        0.0 if name.startswith("LFE") else _SURROUND_WEIGHT if name in _SURROUNDS else 1.0
        for name in layout
    ]
    return np.asarray(weights, np.float32)


def filter_sections(rate_hz: int) -> list[NDArray[np.float64]]:
    """The shelf and the high pass as second-order sections: b0, b1, b2, 1, a1, a2 each."""
    return [
        np.concatenate([_bilinear(numerator), _bilinear(denominator)]) / _bilinear(denominator)[0]
        for numerator, denominator in _prototypes(rate_hz)
    ]


def _prototypes(rate_hz: int) -> tuple[RationalFunction, RationalFunction]:
    """The shelf and the high pass as analogue filters in s; s = 1 is a quarter of the sample rate.

    The standard gives the digital high pass the numerator 1, -2, 1: as an analogue filter it
    amplifies, hence the sum in the numerator.
    """
    gain_db, f0, q = 3.999843853973347, 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * f0 / rate_hz)
    high_gain = 10 ** (gain_db / 20)
    band_gain = high_gain**0.4996667741545416
    shelf = np.array([high_gain, band_gain * k / q, k * k]), np.array([1.0, k / q, k * k])
    f0, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * f0 / rate_hz)
    denominator = np.array([1.0, k / q, k * k])
    return shelf, (np.array([denominator.sum(), 0.0, 0.0]), denominator)


def _bilinear(polynomial: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bilinear transform of a quadratic in s, without its own denominator."""
    squared, linear, constant = polynomial
    return np.array(
        [squared + linear + constant, 2 * (constant - squared), squared - linear + constant]
    )


def _complement(rate_hz: int) -> tuple[float, NDArray[np.float64], NDArray[np.complex128]]:
    """g^2, and the filter D: its numerator, (5,), and one pole of each conjugate pair, (2,).

    The factor is computed from the analogue prototypes, where it is well conditioned: |D|^2 is a
    polynomial in s^2 over |denominator of H|^2. Of each pair of roots s, -s the left one is taken.
    Since g^2 is the gain at infinity, one root is at infinity, which is -1 in the digital filter.
    """
    (shelf, shelf_poles), (high_pass, high_pass_poles) = _prototypes(rate_hz)
    numerator = np.polymul(shelf, high_pass)
    denominator = np.polymul(shelf_poles, high_pass_poles)
    gain = numerator[0] ** 2
    squares = gain * _squared_magnitude(denominator) - _squared_magnitude(numerator)
    zeros = np.append(_to_digital(-np.emath.sqrt(np.roots(squares[1:]))), -1.0)
    poles = _to_digital(np.array([_upper_root(shelf_poles), _upper_root(high_pass_poles)]))
    digital = np.poly(zeros).real
    digital *= math.sqrt(gain) * np.prod(np.abs(1 - poles) ** 2) / np.prod(1 - zeros).real
    return float(gain), np.asarray(digital, np.float64), poles


def _squared_magnitude(polynomial: NDArray[np.floating]) -> NDArray[np.floating]:
    """P(s) P(-s) as a polynomial in s^2."""
    signs = (-1.0) ** np.arange(len(polynomial))[::-1]
    return np.convolve(polynomial, polynomial * signs)[::2]


def _to_digital(points: NDArray[np.complexfloating]) -> NDArray[np.complex128]:
    """Poles or zeros through the bilinear transform."""
    return np.asarray((1 + points) / (1 - points), np.complex128)


def _upper_root(quadratic: NDArray[np.float64]) -> complex:
    """The root of a monic quadratic with the positive imaginary part."""
    _, linear, constant = quadratic.tolist()
    root = cmath.sqrt(linear**2 / 4 - constant)
    return complex(root - linear / 2)
