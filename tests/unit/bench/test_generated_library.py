import os
from pathlib import Path

import soundfile

from bench.generated_library import FORMATS, generate
from services.extractor.read.content_hash import content_hash


def test_generated_files_decode_and_have_unique_content_hashes(tmp_path: Path) -> None:
    paths = generate(tmp_path, 60, seed=3)
    assert {path.suffix[1:] for path in paths} == set(FORMATS)
    hashes = set()
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        hashes.add(content_hash(descriptor, path.stat().st_size))
        os.close(descriptor)
        if path.suffix != ".m4a":  # libsndfile reads none
            samples, rate_hz = soundfile.read(path)
            assert abs(len(samples) / rate_hz - 3) < 0.1
    assert len(hashes) == len(paths)
    assert None not in hashes
