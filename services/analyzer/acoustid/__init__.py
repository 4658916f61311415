"""AcoustID: Chromaprint fingerprints, and the look-up of a fingerprint's recording."""
