"""The spectrum: mel bands and MFCCs, spectral features, and the bandwidth of the recording."""
