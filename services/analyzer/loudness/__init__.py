"""Loudness and levels: K-weighting, EBU R 128, true peak, peaks and clipping."""
