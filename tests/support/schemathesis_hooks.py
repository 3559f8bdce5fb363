"""For schemathesis: what a schema cannot say, that the bytes have to be audio."""

import io

import numpy as np
import schemathesis
import soundfile
from hypothesis import strategies as st


def audio(container, n_samples):
    file = io.BytesIO()
    samples = 0.1 * np.random.default_rng(n_samples).standard_normal(n_samples)
    soundfile.write(file, samples, 16_000, format=container)
    return file.getvalue()


RECORDINGS = [audio(container, n) for container in ("WAV", "FLAC", "OGG") for n in (400, 16_000)]
schemathesis.openapi.format("binary", st.sampled_from(RECORDINGS))
schemathesis.openapi.media_type("application/octet-stream", st.sampled_from(RECORDINGS))
