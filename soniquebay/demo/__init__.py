"""The demo library: 24 short pieces with known tempo, key and loudness.

`rendering` puts it together: `pieces` (the list) → `synthesis` (samples) → `loudness` (levels) →
`encoding` and `tagging` (files).
"""

from soniquebay.demo.pieces import DEMO_TRACKS, DemoTrack
from soniquebay.demo.rendering import render_demo

__all__ = ["DEMO_TRACKS", "DemoTrack", "render_demo"]
