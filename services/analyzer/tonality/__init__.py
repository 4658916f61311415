"""Tonality: spectral peaks, chroma and tuning; key and key changes; roughness."""
