"""K-weighting's filters, and the one that passes what they take away. Pure.

For any sample rate: De Man, "Evaluation of implementations of the EBU R128 loudness measurement"
(AES 2018), the analogue prototypes through the bilinear transform.
"""

import cmath
import math

import numpy as np
from numpy.typing import NDArray

Quotient = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Polynomials above and below."""


def sections(rate_hz: int) -> list[NDArray[np.float64]]:
    """The shelf and the high pass: b0, b1, b2 above, 1, a1, a2 below, each."""
    return [
        np.concatenate([_expanded(above), _expanded(below)]) / _expanded(below)[0]
        for above, below in _prototypes(rate_hz)
    ]


def _prototypes(rate_hz: int) -> tuple[Quotient, Quotient]:
    """The shelf and the high pass as quotients of quadratics in s, 1 being a quarter of the rate.

    The standard gives the digital high pass 1, -2, 1 above: as an analogue one it amplifies.
    """
    gain_db, f0, q = 3.999843853973347, 1681.974450955533, 0.7071752369554196
    k = math.tan(math.pi * f0 / rate_hz)
    high = 10 ** (gain_db / 20)
    mid = high**0.4996667741545416
    shelf = np.array([high, mid * k / q, k * k]), np.array([1.0, k / q, k * k])
    f0, q = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * f0 / rate_hz)
    below = np.array([1.0, k / q, k * k])
    return shelf, (np.array([below.sum(), 0.0, 0.0]), below)


def _expanded(polynomial: NDArray[np.float64]) -> NDArray[np.float64]:
    """The bilinear transform of a quadratic in s, its own denominator left out."""
    squared, linear, constant = polynomial
    return np.array(
        [squared + linear + constant, 2 * (constant - squared), squared - linear + constant]
    )


def complement(rate_hz: int) -> tuple[float, NDArray[np.float64], NDArray[np.complex128]]:
    """The largest g^2 of the weighting, and D: its numerator, (5,), and its poles, one of a pair.

    By the analogue prototypes, where the factor is well conditioned: |D|^2 is a polynomial in s^2
    over the weighting's own, of which each root is a pair s, -s; the left one is taken. That g^2 is
    the weighting at infinity leaves a root there, which is -1 of the digital filter.
    """
    (shelf, shelf_below), (high_pass, high_pass_below) = _prototypes(rate_hz)
    above, below = np.polymul(shelf, high_pass), np.polymul(shelf_below, high_pass_below)
    gain = above[0] ** 2
    squares = gain * _at_both(below) - _at_both(above)
    zeros = np.append(_digital(-np.emath.sqrt(np.roots(squares[1:]))), -1.0)
    poles = _digital(np.array([_upper_root(shelf_below), _upper_root(high_pass_below)]))
    numerator = np.poly(zeros).real
    numerator *= math.sqrt(gain) * np.prod(np.abs(1 - poles) ** 2) / np.prod(1 - zeros).real
    return float(gain), np.asarray(numerator, np.float64), poles


def _at_both(polynomial: NDArray[np.floating]) -> NDArray[np.floating]:
    """P(s) P(-s) as a polynomial in s^2."""
    signs = (-1.0) ** np.arange(len(polynomial))[::-1]
    return np.convolve(polynomial, polynomial * signs)[::2]


def _digital(points: NDArray[np.complexfloating]) -> NDArray[np.complex128]:
    """Where the bilinear transform puts poles and zeros."""
    return np.asarray((1 + points) / (1 - points), np.complex128)


def _upper_root(below: NDArray[np.float64]) -> complex:
    _, middle, last = below.tolist()
    root = cmath.sqrt(middle**2 / 4 - last)
    return complex(root - middle / 2)
