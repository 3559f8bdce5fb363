"""Errors of word times against known ones."""

import dataclasses
import json
import random

import numpy as np
import pytest

from evaluation.beyond.word_times import as_table, word_times
from evaluation.datasets.audio import as_wav
from evaluation.datasets.corpora.segments import TimedWord
from evaluation.datasets.named import open_dataset
from evaluation.records.files import Record, read, write
from evaluation.run.runner import run
from evaluation.scoring.counting import ScoreError
from evaluation.scoring.scores import score
from evaluation.show.times import times_table
from evaluation.systems.registry import SystemSpec, load_system
from tests.support.made_records import WORDS, file_of

RATE = 16_000


def words_of(recording, *rows):
    return [
        TimedWord(recording=recording, channel="1", text=text, start_s=start, end_s=end)
        for text, start, end in rows
    ]


def record(name, *rows, **more):
    """A record whose words are rows of (text, start, end)."""
    text = " ".join(row[0] for row in rows)
    said = tuple((*row, 0.9) for row in rows)
    return Record(id=f"пробный/{name}", reference=text, hypothesis=text, words=said, **more)


def times_of(records, reference, **options):
    return word_times(score(file_of(*records), **options), reference)


def test_by_hand():
    #   reference  0.0 раз 0.5   0.6 два 1.0   1.2 три 1.6
    #   system     0.1 раз 0.5   0.55 двa(wrong)  1.2 три 1.9
    reference = {"a": words_of("a", ("раз", 0.0, 0.5), ("два", 0.6, 1.0), ("три", 1.2, 1.6))}
    found = times_of([record("a", ("Раз,", 0.1, 0.5), ("дна", 0.55, 1.0), ("три", 1.2, 1.9))], reference)
    assert (found.n_pairs, found.n_reference, found.n_hypothesis) == (2, 3, 3)
    assert found.start.mean_abs_s.value == pytest.approx(0.05)
    assert found.start.bias_s.value == pytest.approx(0.05)
    assert found.end.mean_abs_s.value == pytest.approx(0.15)
    assert found.start.p50_s.value == pytest.approx(0.05)
    assert {limit: each.value for limit, each in found.start.within.items()} == {50: 0.5, 100: 1.0, 200: 1.0}
    assert {limit: each.value for limit, each in found.end.within.items()} == {50: 0.5, 100: 0.5, 200: 0.5}
    assert np.isnan(found.start.mean_abs_s.low)  # one utterance


def test_a_tolerance_holds_what_is_exactly_so_far():
    reference = {"a": words_of("a", ("раз", 10.1, 10.4))}
    found = times_of([record("a", ("раз", 10.15, 10.5))], reference)  # 0.05 and 0.1, but for rounding
    assert found.start.within[50].value == found.end.within[100].value == 1.0


def noisy(n_speakers, n_each, seed=0, scale=0.04, bias=0.02):
    """Records of speakers with habits of their own, their reference, and all errors of begin and end."""
    rng = random.Random(seed)
    records, reference, errors = [], {}, {"start": [], "end": []}
    for speaker in range(n_speakers):
        habit = rng.gauss(bias, 0.02)
        for number in range(n_each):
            name = f"s{speaker}u{number}"
            true, heard, at = [], [], 0.0
            for _ in range(rng.randrange(3, 10)):
                text, start, end = rng.choice(WORDS), round(at, 3), round(at + rng.uniform(0.2, 0.5), 3)
                late = [round(rng.gauss(habit, scale), 3) for _ in range(2)]
                true.append((text, start, end))
                heard.append((text, start + late[0], end + late[1]))
                errors["start"].append(late[0])
                errors["end"].append(late[1])
                at = end + 0.1
            reference[name] = words_of(name, *true)
            records.append(record(name, *heard, speaker=f"s{speaker}"))
    return records, reference, {edge: np.array(values) for edge, values in errors.items()}


def test_against_numpy():
    records, reference, errors = noisy(12, 20)
    found = times_of(records, reference)
    for edge, late in errors.items():
        mine = getattr(found, edge)
        sizes = np.abs(late)
        assert mine.mean_abs_s.value == pytest.approx(sizes.mean(), abs=1e-6)
        assert mine.bias_s.value == pytest.approx(late.mean(), abs=1e-6)
        assert mine.p50_s.value == pytest.approx(np.quantile(sizes, 0.5), abs=1e-6)
        assert mine.p95_s.value == pytest.approx(np.quantile(sizes, 0.95), abs=1e-6)
        for limit, share in mine.within.items():
            assert share.value == pytest.approx((np.rint(sizes * 1e6) <= limit * 1000).mean())
        for one in (mine.mean_abs_s, mine.bias_s, mine.p50_s, mine.p95_s, *mine.within.values()):
            assert one.low < one.value < one.high or (one.low < one.value == 1.0)
    assert found.n_pairs == found.n_reference == len(errors["start"])


def test_intervals_heed_speakers():
    records, reference, _ = noisy(12, 20)
    by_speaker = times_of(records, reference)
    by_utterance = times_of(records, reference, blocks="utterance")
    for one, other in (
        (by_speaker.start.bias_s, by_utterance.start.bias_s),
        (by_speaker.start.p95_s, by_utterance.start.p95_s),
    ):
        assert one.value == other.value
        assert one.high - one.low > other.high - other.low  # speakers have habits


@pytest.mark.slow
def test_intervals_cover():
    """Of 100 sets of 15 speakers, 95 % of the intervals hold the value of a set of 3,000 speakers.

    Tolerance: three standard errors of a share of 0.95 among 100, 0.066.
    """
    records, reference, errors = noisy(3000, 4, seed=1)
    sizes = np.abs(errors["start"])
    true = {
        "mean_abs_s": sizes.mean(), "bias_s": errors["start"].mean(),
        "p50_s": np.quantile(sizes, 0.5), "p95_s": np.quantile(sizes, 0.95),
    }  # fmt: skip
    held = dict.fromkeys(true, 0)
    for seed in range(100):
        records, reference, _ = noisy(15, 8, seed=100 + seed)
        start = times_of(records, reference).start
        for name, value in true.items():
            found = getattr(start, name)
            held[name] += found.low <= value <= found.high
    assert {name: n for name, n in held.items() if n < 88} == {}


def test_numbers_and_words_that_are_several_on_one_side():
    reference = {"a": words_of("a", ("семьдесят", 1.0, 1.4), ("пять", 1.4, 1.8), ("да", 2.0, 2.2))}
    found = times_of([record("a", ("75", 1.1, 1.9), ("да", 2.0, 2.2))], reference, profile="numbers")
    assert found.n_pairs == 2  # the number, and "да"
    assert found.start.mean_abs_s.value == pytest.approx(0.05)
    assert found.end.mean_abs_s.value == pytest.approx(0.05)
    # half a number is none
    found = times_of([record("a", ("75", 1.1, 1.9), ("да", 2.0, 2.2))], {"a": reference["a"][1:]})
    assert found.n_pairs == 1


def test_pieces_have_times_from_their_begin():
    reference = {"talk": words_of("talk", ("раз", 10.2, 10.5), ("два", 12.2, 12.5), ("раз", 14.0, 14.5))}
    records = [
        record("0", ("раз", 0.2, 0.5), audio="/x/talk.wav", audio_start_s=10.0, audio_s=2.0),
        record("1", ("два", 0.3, 0.6), session="talk", audio_start_s=12.0, audio_s=2.0),
        record("talk-2", ("раз", 0.4, 0.5), audio="/x/talk.wav", audio_start_s=14.0),  # to the end
    ]
    found = times_of(records, reference)
    assert found.n_pairs == 3
    assert found.start.bias_s.value == pytest.approx((0 + 0.1 + 0.4) / 3, abs=1e-6)
    # a reference by utterance counts as the system does
    for name in ("0", "пробный/0"):
        by_utterance = {name: words_of(name, ("раз", 0.2, 0.5))}
        assert times_of(records, by_utterance).start.bias_s.value == 0
    assert times_of(records, by_utterance).unknown == ("пробный/1", "пробный/talk-2")


def test_what_is_left_out_is_told():
    reference = {name: words_of(name, ("раз", 0.0, 0.5)) for name in "abc"}
    untimed = dataclasses.replace(record("b", ("раз", 0.0, 0.5)), words=())
    failed = Record(id="пробный/c", reference="раз", hypothesis=None)
    found = times_of([record("a", ("раз", 0.0, 0.5)), untimed, failed, record("d", ("раз", 0, 1))], reference)
    assert (found.unknown, found.untimed) == (("пробный/d",), ("пробный/b",))
    assert (found.n_pairs, found.n_reference) == (1, 3)
    assert found.start.mean_abs_s.value == 0


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([Record(id="u", reference="раз", hypothesis="раз")], "holds no word times; import them from a CTM"),
        ([record("x", ("раз", 0.0, 0.5))], "the first is 'a', and no utterance is of them, .* 'пробный/x'"),
        ([record("a", ("два", 0.0, 0.5))], "not one word is the same as in the reference"),
    ],
)
def test_what_cannot_be_measured(records, complaint):
    with pytest.raises(ScoreError, match=complaint):
        times_of(records, {"a": words_of("a", ("раз", 0.0, 0.5))})


def test_the_table_is_in_milliseconds_and_percent():
    records, reference, _ = noisy(12, 20)
    table = times_table(as_table({"система": times_of(records, reference)}))
    assert list(table["Edge"]) == ["begin", "end"]
    assert list(table.columns[-3:]) == ["within 50 ms, %", "within 100 ms, %", "within 200 ms, %"]
    assert table["of the reference, %"][0] == "100.0"
    assert table["Bias, ms"][0].startswith("+")


@pytest.mark.slow
def test_the_engine_hears_words_of_pieces_where_they_are_in_the_recording(tmp_path, clear_clips, engine):
    """Clips joined to one recording and read as its pieces: the engine's own times of each clip, moved."""
    gap = np.zeros(RATE // 2, np.float32)
    waveforms, rows, lines, at = [], [], [], 0.0
    for clip in clear_clips:
        for word in engine.transcribe(clip.path).words:
            lines.append(f"talk 1 {at + word.start:.3f} {word.end - word.start:.3f} {word.text}")
        seconds = len(clip.waveform) / RATE
        rows.append({"audio": "talk.wav", "text": clip.text, "start": at, "end": at + seconds})
        waveforms += [clip.waveform, gap]
        at += seconds + 0.5
    (tmp_path / "talk.wav").write_bytes(as_wav(np.concatenate(waveforms)))
    manifest = tmp_path / "talks.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "talk.ctm").write_text("\n".join(lines) + "\n", encoding="utf-8")
    system = load_system(SystemSpec(model="demo", precision="fp32"), show_progress=False)
    file = read(run(system, open_dataset(manifest), tmp_path / "records.jsonl", show_progress=False).path)
    from evaluation.datasets.corpora.word_references import read_word_references

    found = word_times(score(file), read_word_references(tmp_path / "talk.ctm"))
    assert found.n_pairs == found.n_reference == len(lines)
    # a sample more or less at the cut moves a frame of 10 ms at most; times are multiples of 40 ms
    assert found.start.mean_abs_s.value < 0.005
    assert found.end.within[50].value == 1.0


def test_the_command(tmp_path, capsys, logging_as_it_was):
    import argparse

    from evaluation.cli import times

    records, reference, _ = noisy(12, 5)
    file = file_of(*records, record("gone", ("раз", 0.0, 0.5)))
    write(tmp_path / "a.jsonl", file.header, file.records, file.end)
    lines = [
        f"{word.recording} 1 {word.start_s} {word.end_s - word.start_s:.3f} {word.text}"
        for words in reference.values()
        for word in words
    ]
    (tmp_path / "ref.ctm").write_text("\n".join(lines), encoding="utf-8")
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    times.build(parser)
    given = [str(tmp_path / "a.jsonl"), "--reference", str(tmp_path / "ref.ctm")]
    assert times.carry_out(parser.parse_args(given)) == 0
    text = capsys.readouterr().out
    assert "система  begin" in text
    assert "95% intervals over" in text
    assert times.carry_out(parser.parse_args([*given, "--json"])) == 0
    content = json.loads(capsys.readouterr().out)
    assert [row["edge"] for row in content["errors"]] == ["begin", "end"]
    assert content["left_out"] == {"система": {"unknown": ["пробный/gone"], "untimed": []}}
