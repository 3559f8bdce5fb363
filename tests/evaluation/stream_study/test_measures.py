"""What is measured of a stream, against timelines drawn by hand."""

import math

import numpy as np
import pytest

from evaluation.datasets.audio import speech_bounds
from evaluation.records.files import Header, Record, read, write
from evaluation.records.stream_log import StreamEvent, StreamLog, packed, unpacked
from evaluation.statistics.quantiles import quantiles
from evaluation.stream_study.clocks import IdealClock, RealClock, SimulatedClock
from evaluation.stream_study.feeding import Feeding, faint_noise
from evaluation.stream_study.measures import Instability, instability, measures, plain, settling_s


def partial(text, at_s, heard_s=None, *, utterance=0):
    return StreamEvent(kind="partial", utterance=utterance, text=text, at_s=at_s, heard_s=heard_s)


def final(text, at_s, heard_s=None, *, utterance=0, reason="silence"):
    return StreamEvent(
        kind="final", utterance=utterance, text=text, at_s=at_s, heard_s=heard_s, reason=reason
    )


# Pieces of half a second; the work on the one that ends at 1.5 takes 0.8 s, so the next comes late.
#
#   stream  0         1         2         3         4
#           |----|----|----|----|----|----|----|----|
#   speech       [0.6        2.2]
#   handed       0.5  1.0  1.5       2.3  2.5  3.0 ...
#   results             1.1 "а"      2.3 "а б"  2.6 "а в"  3.2 final "А в." decided with 2.9
CHUNKS = ((0.5, 0.5), (1.0, 1.0), (1.5, 1.5), (2.0, 2.3), (2.5, 2.5), (3.0, 3.0), (3.5, 3.5), (4.0, 4.0))
EVENTS = (
    partial("а", 1.1, 0.96),
    partial("а б", 2.3, 1.44),
    partial("а в", 2.6, 2.5),
    final("А в.", 3.2, 2.9),
)


def log_of(events=EVENTS, *, speech=(0.6, 2.2), chunks=CHUNKS):
    return StreamLog(clip_s=2.4, chunks=chunks, stopped_s=4.0, speech=speech, events=tuple(events))


def test_latencies_of_a_drawn_stream():
    found = measures(log_of())
    assert found.first_text_s == 1.1
    assert found.first_text_from_onset_s == pytest.approx(0.5)
    # 0.96 arrives with the piece that ends at 1.0, 1.44 with 1.5, 2.5 with 2.5
    assert found.partial_lags_s == pytest.approx((0.1, 0.8, 0.1))
    assert found.decisions_s == pytest.approx((0.2,))  # 2.9 arrives at 3.0
    assert found.end_to_final_s == pytest.approx(1.0)
    assert (found.ending, found.n_partials) == ("silence", 3)
    assert found.worst_behind_s == pytest.approx(0.3)
    assert found.growth_s == 0.0


def test_a_result_without_text_is_no_first_text():
    assert measures(log_of([partial("", 0.2, 0.1), *EVENTS])).first_text_s == 1.1


@pytest.mark.parametrize(
    ("events", "speech", "ending"),
    [
        ([final("а", 3.2, 2.9, reason="stop")], (0.6, 2.2), "stop"),
        ([final("а", 3.2, 2.9, reason="limit")], (0.6, 2.2), "stop"),
        ([final("а", 2.1, 1.9)], (0.6, 2.2), "early"),
        ([final("а", 2.3)], (0.6, 2.2), "silence"),  # a server that does not tell what it heard
        ([final("а", 2.1)], (0.6, 2.2), "early"),
        ([partial("а", 2.1, 1.9)], (0.6, 2.2), "none"),
        ([], (0.6, 2.2), "none"),
        (EVENTS, None, "no speech"),
    ],
)
def test_only_a_final_by_silence_after_the_speech_is_timed_from_its_end(events, speech, ending):
    found = measures(log_of(events, speech=speech))
    assert found.ending == ending
    assert (found.end_to_final_s is not None) == (ending == "silence")
    assert (found.first_text_from_onset_s is None) == (speech is None or not events)


def test_of_several_utterances_the_last_final_ends_the_stream():
    first = final("а", 1.6, 1.4)
    found = measures(log_of([first, final("б", 3.4, 3.0, utterance=1)]))
    assert found.end_to_final_s == pytest.approx(1.2)
    assert found.decisions_s == pytest.approx((0.1, 0.4))
    stopped = measures(log_of([first, final("б", 3.4, 3.0, utterance=1, reason="stop")]))
    assert (stopped.ending, stopped.decisions_s) == ("stop", pytest.approx((0.1,)))


def test_what_a_server_does_not_tell_is_not_measured():
    found = measures(log_of([partial("а", 1.1), final("а", 3.2)]))
    assert (found.partial_lags_s, found.decisions_s) == ((), ())
    assert found.end_to_final_s == pytest.approx(1.0)


def test_work_slower_than_speech_falls_behind():
    late = tuple((0.5 * n, 0.6 * n) for n in range(1, 9))
    found = measures(log_of((), chunks=late))
    assert found.worst_behind_s == pytest.approx(0.8)
    assert found.growth_s == pytest.approx(0.75 - 0.15)  # medians of the last two and of the first two


#   partials   "включи"  "включи свет"  "включил свет на"  | final "Включи свет на кухне."
#   common          1             0                  0     |
#   taken back      0             2                  3     |   plain: 0, 2, 3 (включил / включи)
LIGHT = [
    partial("включи", 1.0),
    partial("включи свет", 1.5),
    partial("включил свет на", 2.0),
    final("Включи свет на кухне.", 3.0),
]


def test_words_taken_back_are_counted_by_hand():
    assert instability(LIGHT) == Instability(
        unstable=5, unstable_plain=5, among_partials=2, among_partials_plain=2,
        n_words=4, n_utterances=1, n_revised=1,
    )  # fmt: skip


def test_case_and_punctuation_count_as_shown_only():
    found = instability([partial("раз, два", 1.0), final("Раз два!", 2.0)])
    assert (found.unstable, found.unstable_plain, found.n_revised) == (2, 0, 1)


def test_a_shorter_result_takes_its_last_words_back():
    found = instability([partial("раз два три", 1.0), partial("раз", 1.5), final("раз", 2.0)])
    assert (found.unstable, found.n_words) == (2, 1)


def test_utterances_are_not_compared_with_each_other():
    events = [partial("а", 1.0), final("а", 2.0), partial("б", 3.0, utterance=1)]
    found = instability([*events, final("б б", 4.0, utterance=1)])
    assert (found.unstable, found.n_words, found.n_utterances, found.n_revised) == (0, 3, 2, 0)


def test_an_utterance_without_a_final_counts_what_it_took_back():
    found = instability([partial("а", 1.0), partial("б", 1.5)])
    assert (found.unstable, found.n_words, found.n_utterances) == (1, 0, 1)


def test_nothing_is_stable():
    assert instability([]) == Instability()
    empty = measures(StreamLog(clip_s=0.0, chunks=(), stopped_s=0.0, speech=None, events=()))
    assert (empty.first_text_s, empty.n_partials, empty.worst_behind_s) == (None, 0, 0.0)


def test_quantiles_draw_streams_not_values():
    within = quantiles([(0.1, 0.1, 0.1), (0.3,)])
    assert (within.n, within.p50, within.low, within.high) == (4, 0.1, 0.1, 0.3)
    alone = quantiles([(0.1, 0.2)])
    assert math.isnan(alone.low)
    nothing = quantiles([(), ()])
    assert nothing.n == 0
    assert math.isnan(nothing.p50)


class Time:
    """A timer that only goes on when it is told to, or when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += max(seconds / 2, 0.001)  # wakes up too early


def test_the_real_clock_sleeps_until_it_is_time():
    time = Time()
    clock = RealClock(time, time.sleep)
    clock.wait_until(0.5)
    assert clock.now() >= 0.5
    assert time.slept[0] == 0.5
    n_sleeps = len(time.slept)
    time.now += 3.0
    clock.wait_until(2.0)  # over already
    assert len(time.slept) == n_sleeps


def test_the_simulated_clock_jumps_over_waits_and_counts_work():
    time = Time()
    clock = SimulatedClock(time)
    clock.wait_until(0.5)
    assert clock.now() == pytest.approx(0.5)
    time.now += 0.7  # work
    clock.wait_until(1.0)  # late: no wait
    assert clock.now() == pytest.approx(1.2)
    clock.wait_until(2.0)
    assert clock.now() == pytest.approx(2.0)
    assert time.now == pytest.approx(100.7)


def test_by_the_ideal_clock_work_takes_no_time():
    clock = IdealClock()
    assert clock.now() == 0.0
    clock.wait_until(0.5)
    assert clock.now() == 0.5
    clock.wait_until(0.3)  # over already
    assert clock.now() == 0.5


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        #  at 1 s     at 2 s         at 3 s, the final
        (("раз", "раз два", "раз два"), (0.0, 0.0)),
        (("раз", "рас два", "раз два"), (2.0, 1.0)),  # the first changes back: both stay from 3 s on
        (("раз два", "раз", "раз два"), (0.0, 2.0)),  # gone for a while
        (("раз", "раз два", "раз"), (0.0,)),  # a word that the final lacks is none of its words
        (("раз", "раз", "раз два три"), (0.0, 0.0, 0.0)),  # those that only the final shows
        (("раз", "раз", ""), ()),
    ],
)
def test_when_words_settle(texts, expected):
    kinds = ("partial", "partial", "final")
    events = [
        StreamEvent(kind=kind, utterance=0, text=text, at_s=1.0 + number)
        for number, (kind, text) in enumerate(zip(kinds, texts, strict=True))
    ]
    assert settling_s(events) == expected
    assert settling_s(events[:2]) == ()  # without a final nothing is known


def test_words_settle_earlier_without_case_and_punctuation():
    texts = {"partial": "раз два", "final": "Раз, два."}
    events = [
        StreamEvent(kind=kind, utterance=0, text=text, at_s=float(number))
        for number, (kind, text) in enumerate(texts.items())
    ]
    assert settling_s(events) == (1.0, 1.0)
    assert settling_s(events, plain) == (0.0, 0.0)


def test_pieces_are_the_clip_and_then_faint_noise():
    clip = np.full(16_000, 0.5, np.float32)
    pieces = list(Feeding(chunk_ms=300, silence_ms=500).chunks(clip))
    assert [end_s for end_s, _ in pieces] == pytest.approx([0.3, 0.6, 0.9, 1.2, 1.5])
    samples = np.frombuffer(b"".join(piece for _, piece in pieces), "<i2")
    assert (samples[:16_000] == 16_384).all()
    noise = samples[16_000:]
    level_db = 20 * np.log10(np.sqrt((noise.astype(float) ** 2).mean()) / 32768)
    assert level_db == pytest.approx(-72, abs=0.5)
    assert (noise == faint_noise(8_000)).all()


@pytest.mark.parametrize("wrong", [{"clock": "sun"}, {"chunk_ms": 1}, {"silence_ms": -1}])
def test_feeding_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Feeding(**wrong)


#   0      0.20  0.30          0.80         1.20   1.60
#   | quiet | click | quiet | tone | quiet | tone | quiet
def test_speech_is_where_it_is_loud_for_a_while():
    rng = np.random.default_rng(1)
    waveform = rng.normal(0, 1e-4, 32_000).astype(np.float32)
    waveform[3_200:3_280] = 0.9  # 5 ms
    for start, end in ((12_800, 19_200), (22_400, 25_600)):
        waveform[start:end] += 0.2 * np.sin(np.arange(end - start))
    assert speech_bounds(waveform) == pytest.approx((0.8, 1.6), abs=0.011)


@pytest.mark.parametrize("waveform", [np.zeros(16_000), np.zeros(0), np.full(16_000, 1e-4), np.ones(200)])
def test_where_all_is_quiet_there_is_no_speech(waveform):
    assert speech_bounds(waveform.astype(np.float32)) is None


def test_in_steady_noise_speech_is_what_rises_above_it():
    waveform = np.random.default_rng(1).normal(0, 0.02, 32_000).astype(np.float32)
    waveform[8_000:24_000] += 0.4 * np.sin(0.3 * np.arange(16_000))
    assert speech_bounds(waveform) == pytest.approx((0.5, 1.5), abs=0.011)


def test_a_log_comes_back_from_a_record_file(tmp_path):
    log = log_of()
    record = Record(id="1", reference="а в", hypothesis="А в.", stream=log)
    path = tmp_path / "a.jsonl"
    write(path, Header(system="s"), [record, Record(id="2", reference="б")])
    assert read(path).records == (record, Record(id="2", reference="б"))
    without = path.read_text("utf-8").splitlines()[2]
    assert without == '{"record": {"id": "2", "reference": "б"}}'


def test_times_are_kept_to_ten_microseconds():
    log = log_of([partial("а", 1.123456789, 0.96)])
    back = unpacked(packed(log))
    assert back.events[0].at_s == 1.12346
    assert unpacked(packed(back)) == back


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ({"events": [{"kind": "rumour", "utterance": 0, "text": "", "at_s": 0}]}, "rumour"),
        ({"events": [{"kind": "final"}]}, "utterance"),
        ({"chunks": [[1]]}, "unpack"),
    ],
)
def test_a_broken_log_is_refused(broken, complaint):
    with pytest.raises((TypeError, ValueError), match=complaint):
        unpacked(packed(log_of()) | broken)
