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


SUBTITLES = ("srt", "vtt", "verbose_json")
STREAMED = ("true", "1")
RECORDINGS = [audio(container, n) for container in ("WAV", "FLAC", "OGG") for n in (400, 16_000)]
schemathesis.openapi.format("binary", st.sampled_from(RECORDINGS))
schemathesis.openapi.media_type("application/octet-stream", st.sampled_from(RECORDINGS))


@schemathesis.hook
def before_call(context, case, kwargs):
    ask_for_a_track_that_is_there(case)
    make_the_streamed_format_wrong(case)
    make_empty_parameters_wrong(case)


def is_negative(case):
    return case.meta is not None and case.meta.generation.mode is schemathesis.GenerationMode.NEGATIVE


def ask_for_a_track_that_is_there(case):
    """Each recording has one: what a file holds, a schema cannot say."""
    track = str((case.query or {}).get("track", ""))
    if track.isdecimal() and int(track) > 1:
        case.query["track"] = 1
    fields = case.body if isinstance(case.body, dict) and not is_negative(case) else {}
    if str(fields.get("track", "")).isdecimal():
        fields["track"] = 1


def make_the_streamed_format_wrong(case):
    """Subtitles and `stream` are wrong together: to violate one branch of an `anyOf` is no violation."""
    if not is_negative(case):
        return
    fields = case.body if isinstance(case.body, dict) else {}
    if fields.get("response_format") in SUBTITLES or fields.get("stream") in STREAMED:
        fields |= {"response_format": "srt", "stream": "true"}


def make_empty_parameters_wrong(case):
    """An empty parameter is none, and so is right."""
    if not is_negative(case):
        return
    for name, value in (case.query or {}).items():
        if value is None or value in ("", [], [""], {}):  # all of them are sent as `name=`
            case.query[name] = "?"
