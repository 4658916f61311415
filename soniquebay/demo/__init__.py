"""The demo library: 24 short pieces that are rendered here, with known tempo, key and loudness."""

from soniquebay.demo.pieces import DEMO_TRACKS, DemoTrack
from soniquebay.demo.rendering import render_demo

__all__ = ["DEMO_TRACKS", "DemoTrack", "render_demo"]
