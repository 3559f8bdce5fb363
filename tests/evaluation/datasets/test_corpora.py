"""Datasets as corpora keep them: Kaldi, lhotse, STM, TRN, CTM; each is written and opened by its path."""

import gzip
import json

import numpy as np
import pytest

from evaluation.datasets import DatasetError, open_dataset
from evaluation.datasets.audio import as_wav, decoded
from evaluation.datasets.corpora.alternatives import first_alternative
from evaluation.datasets.corpora.stm import read_stm

RATE = 16_000
TEXTS = ("да нет", "раз, два", "три")


@pytest.fixture
def talk(tmp_path):
    """A recording of 3 s whose seconds have the levels 0.1, 0.2 and 0.3, as `talk.wav`."""
    samples = np.repeat(np.float32([0.125, 0.25, 0.375]), RATE)
    (tmp_path / "talk.wav").write_bytes(as_wav(samples))
    return tmp_path


def levels(dataset):
    """(key, reference, seconds, level) of each utterance, from the audio itself."""
    found = []
    for utterance in dataset:
        waveform = decoded(utterance.audio).waveform
        assert np.ptp(waveform) == 0, "audio of another segment is in it"
        key = utterance.id.removeprefix(f"{dataset.name}/")
        found.append((key, utterance.reference, len(waveform) / RATE, float(waveform[0])))
    return found


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def findings(dataset):
    list(dataset)
    return [(finding.id.partition("/")[2], finding.reason) for finding in dataset.findings]


KALDI = {
    "wav_dot_scp": "talk talk.wav\n",
    "segments": "u1 talk 0.00 1.00\nu3 talk 2.0 -1\nu2 talk 1.00 2.00\nu4 talk 0.5 1\n",
    "text": "u1 да нет\nu2 раз,  два\nu3 три\nu5 без звука\n",
    "utt2spk": "u1 anna\nu2 oleg\nu3 anna\nu5 oleg\n",
    "spk2gender": "anna f\noleg m\n",
    "utt2lang": "u1 ru\n",
    "spk2utt": "anna u1 u3\noleg u2 u5\n",
}


def test_kaldi_segments(talk):
    dataset = open_dataset(write(talk, **KALDI))
    assert levels(dataset) == [
        ("u1", "да нет", 1.0, 0.125),
        ("u3", "три", 1.0, 0.375),  # an end of -1 is the recording's
        ("u2", "раз,  два", 1.0, 0.25),
    ]
    assert findings(dataset) == [("u4", "no reference"), ("u5", "no audio")]
    first = next(iter(dataset))
    assert (first.speaker, first.session, first.duration_s) == ("anna", "talk", 1.0)
    assert dict(first.metadata) == {"gender": "f", "lang": "ru"}


def test_kaldi_recordings_that_are_utterances(talk, tmp_path, monkeypatch):
    data = write(
        talk / "data/test",
        wav_dot_scp="u1 talk.wav\nu2 gone.flac\n",
        text="u1 да нет\nu2 да\nu3\n",
        utt2dur="u1 3.0\n",
    )
    with pytest.raises(
        DatasetError, match=r"not one of its 3 recordings is there; the first one is 'talk.wav'"
    ):
        open_dataset(data)
    monkeypatch.chdir(talk)  # Kaldi's paths are relative to where its scripts run
    dataset = open_dataset("data/test")
    [utterance] = list(dataset)
    assert (utterance.id, utterance.duration_s, utterance.session) == ("test/u1", 3.0, None)
    assert findings(dataset) == [("u2", "no audio"), ("u3", "blank reference")]
    assert list(open_dataset("data")) == [utterance.__class__(**{**vars(utterance), "id": "data/test/u1"})]
    with pytest.raises(DatasetError, match="no data folder 'dev'; there are: test"):
        open_dataset("data", split="dev")


def test_a_kaldi_revision_heeds_every_file_that_is_read(talk):
    revision = open_dataset(write(talk, **KALDI)).revision
    assert open_dataset(talk).revision == revision
    for name in ("text", "segments", "utt2spk", "spk2gender", "utt2lang"):
        write(talk, **{name: KALDI[name].replace("u1", "u9").replace("anna", "inna")})
        assert open_dataset(talk).revision != revision, name
        write(talk, **{name: KALDI[name]})
    write(talk, spk2utt="", cmvn_dot_scp="x y\n")
    assert open_dataset(talk).revision == revision


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (
            {"wav_dot_scp": "talk sph2pipe -f wav talk.sph |\n"},
            r"wav\.scp, line 1: 'talk' is a command, 'sph2pipe",
        ),
        (
            {"wav_dot_scp": "talk cat talk.wav |\n"},
            "commands of a data set are not run; write the audio to files",
        ),
        ({"wav_dot_scp": "a a.wav\ntalk raw.ark:1234\n"}, "line 2: 'talk' lies in an archive"),
        ({"wav_dot_scp": "talk\n"}, "line 1: 'talk' stands alone on its line"),
        ({"wav_dot_scp": "talk talk.wav\ntalk b.wav\n"}, r"line 2: the id 'talk' was in .*line 1 already"),
        ({"segments": "u1 talk 0.5\n"}, "segments, line 1: 3 fields"),
        ({"segments": "u1 talk a 1\n"}, "the begin 'a' is no number of seconds"),
        ({"segments": "u1 talk 0 nan\n"}, "the end 'nan' is no number of seconds"),
        ({"segments": "u1 talk -0.5 1\n"}, "the begin '-0.5' is no number of seconds, 0 or more"),
        ({"segments": "u1 talk 1 1\n"}, "'u1' ends at 1 s and begins at 1 s"),
        ({"segments": "u1 talk 0 1\nu1 talk 1 2\n"}, "line 2: the id 'u1' was in"),
        ({"segments": "u1 talk 0 1 A\nu2 talk 1 2 B\n"}, "'talk' has segments on the channels 'A' and 'B'"),
        ({"text": "u1 да\nu1 нет\n"}, "text, line 2: the id 'u1' was in"),
    ],
)
def test_a_broken_kaldi_folder_is_named_by_its_line(talk, files, complaint):
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(write(talk, **(KALDI | files)))


def test_a_kaldi_folder_without_text(talk):
    with pytest.raises(DatasetError, match="text cannot be read"):
        open_dataset(write(talk, wav_dot_scp="talk talk.wav\n"))


def recording(**changes):
    return {
        "id": "talk",
        "sources": [{"type": "file", "channels": [0], "source": "talk.wav"}],
        "sampling_rate": RATE,
        "num_samples": 3 * RATE,
        "duration": 3.0,
    } | changes


def supervision(number, start, duration=1.0, **more):
    return {
        "id": f"s{number}", "recording_id": "talk", "start": start, "duration": duration, "channel": 0,
        "text": TEXTS[number], "speaker": "anna", "language": "Russian", "custom": {"noise": 0.5, "x": [1]},
    } | more  # fmt: skip


def cut(start, duration, *supervisions, **more):
    return {
        "id": f"cut{start}", "start": start, "duration": duration, "channel": 0, "type": "MonoCut",
        "supervisions": list(supervisions), "recording": recording(),
    } | more  # fmt: skip


def jsonl(path, *entries):
    text = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["cuts.jsonl", "cuts.jsonl.gz"])
def test_lhotse_cuts_of_one_supervision_or_several(talk, name):
    path = jsonl(
        talk / name,
        cut(0.0, 1.0, supervision(0, 0.0)),
        cut(1.0, 2.0, supervision(1, 0.0), supervision(2, 1.0)),  # times count from the cut's begin
        cut(0.5, 0.5),
    )
    dataset = open_dataset(path)
    expected = [("s0", "да нет", 1.0, 0.125), ("s1", "раз, два", 1.0, 0.25), ("s2", "три", 1.0, 0.375)]
    assert levels(dataset) == expected
    assert findings(dataset) == [("cut0.5", "no reference")]
    first = next(iter(dataset))
    assert (first.speaker, first.duration_s) == ("anna", 1.0)
    assert dict(first.metadata) == {"language": "Russian", "noise": "0.5"}
    assert levels(open_dataset(talk)) == expected  # the folder, with one manifest of cuts


def test_a_supervision_of_a_whole_recording_is_its_file(talk):
    path = jsonl(talk / "cuts.jsonl", cut(0.0, 3.0, supervision(0, 0.0, 3.0)))
    [utterance] = list(open_dataset(path))
    assert utterance.audio == talk / "talk.wav"


def test_lhotse_supervisions_with_their_recordings_beside(talk):
    jsonl(talk / "ru_recordings_test.jsonl.gz", recording())
    jsonl(talk / "ru_supervisions_test.jsonl.gz", supervision(2, 2.0), supervision(0, 0.0))
    jsonl(talk / "ru_recordings_dev.jsonl.gz", recording())
    jsonl(talk / "ru_supervisions_dev.jsonl.gz", supervision(1, 1.0))
    test = [("s2", "три", 1.0, 0.375), ("s0", "да нет", 1.0, 0.125)]
    assert levels(open_dataset(talk / "ru_supervisions_test.jsonl.gz")) == test
    assert [utterance.reference for utterance in open_dataset(talk)] == ["три", "да нет"]
    assert [utterance.reference for utterance in open_dataset(talk, split="dev")] == ["раз, два"]
    with pytest.raises(DatasetError, match="0 of its manifests name the split 'train'; there are: ru_superv"):
        open_dataset(talk, split="train")
    (talk / "ru_recordings_test.jsonl.gz").unlink()
    with pytest.raises(DatasetError, match=r"recordings are not beside it \('ru_recordings_test"):
        open_dataset(talk / "ru_supervisions_test.jsonl.gz")


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (cut(0, 1, type="MixedCut"), "line 1: a MixedCut; only MonoCut is read"),
        (
            cut(0, 1, supervision(0, 0), recording=recording(sources=[{"type": "url", "source": "http://x"}])),
            "the audio of 'talk' is of type url, and only files",
        ),
        (
            cut(0, 1, supervision(0, 0), recording=recording(
                sources=[{"type": "file", "channels": [0, 1], "source": "talk.wav"}])),
            "'talk' has 2 channels",
        ),
        (
            cut(0, 1, supervision(0, 0), recording=recording(
                transforms=[{"name": "Speed", "kwargs": {"factor": 0.9}}])),
            r"'talk' is changed when read \(Speed\)",
        ),
        (cut(0, 1, supervision(0, 0), supervision(0, 0)), "the id 's0' was in .*line 1 already"),
        (cut(0, 1, supervision(0, float("nan"))), "lies between nan and nan s of its recording"),
        (cut(0, 1, supervision(0, 0, float("inf"))), "lies between 0 and inf s of its recording"),
        (cut(0, 1, {"id": "s0", "text": "да"}), "line 1: no supervision of lhotse"),
        (cut(0, 1, supervision(0, 0, 0)), "'s0' lies between 0 and 0 s"),
    ],
)  # fmt: skip
def test_lhotse_cuts_whose_audio_would_not_be_what_is_said(talk, entry, complaint):
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(jsonl(talk / "cuts.jsonl", entry))


def test_a_manifest_of_nemo_is_none_of_lhotse(talk):
    path = jsonl(talk / "manifest.jsonl", {"audio_filepath": "talk.wav", "text": "да", "duration": 3.0})
    assert [utterance.reference for utterance in open_dataset(path)] == ["да"]


STM = """;; LABEL "o" "Overall"
talk 1 anna 0.00 1.00 <o,f0,female> да { нет / не } <unk>
talk 1 inter_segment_gap 1.00 1.50 ignore_time_segment_in_scoring

talk 1 oleg 1.50 2.00 раз,\u00a0два 24/7
talk 1 oleg 2.00 3.00 <NA> три
talk 1 oleg 2.00 3.00\t<NA>
"""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_stm(talk, end):
    (talk / "ref.stm").write_bytes(STM.replace("\n", end).encode("utf-8-sig"))
    dataset = open_dataset(talk / "ref.stm")
    assert levels(dataset) == [
        ("talk-0.00-1.00", "да нет", 1.0, 0.125),
        ("talk-1.50-2.00", "раз,\u00a0два 24/7", 0.5, 0.25),
        ("talk-2.00-3.00", "три", 1.0, 0.375),
    ]
    first, second, _ = list(dataset)
    assert (first.speaker, second.speaker, first.session) == ("anna", "oleg", "talk")
    assert first.metadata["label"] == "o,f0,female"
    assert first.metadata["stm_text"] == "да { нет / не } <unk>"
    assert [reason for _, reason in findings(dataset)] == ["tags dropped", "no reference", "blank reference"]
    assert findings(dataset)[-1][0] == "talk-2.00-3.00-2"


def test_stm_folders_with_the_audio_beside_them(tmp_path, clips):
    corpus = tmp_path / "test"
    write(corpus, stm__a_dot_stm="a 1 s1 0 1 да\n", stm__b_dot_stm="b 1 s2 0 1 нет\n")
    (corpus / "wav").mkdir()
    for name in ("a.flac", "b.flac", "c.flac"):
        (corpus / "wav" / name).write_bytes(clips[0].path.read_bytes())
    for path in (corpus, corpus / "stm"):
        assert [(each.reference, each.audio.path.name) for each in open_dataset(path)] == [
            ("да", "a.flac"),
            ("нет", "b.flac"),
        ]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("talk 1 anna 0.00\n", r"ref\.stm, line 1: 4 fields; a segment is file, channel, speaker"),
        ("talk 1 anna 1.00 1.00 да\n", "ends at 1.00 s and begins at 1.00 s"),
        ("talk 1 anna x 1.00 да\n", "the begin 'x' is no number"),
        (
            "talk A anna 0 1 да\ntalk B oleg 0 1 нет\n",
            "line 2: 'talk' has segments on the channels 'A' and 'B'",
        ),
        ("other 1 anna 0 1 да\n", "not one of its 1 recordings is there; the first one is 'other'"),
        (";; nothing\n", "holds no utterance"),
    ],
)
def test_a_broken_stm_is_named_by_its_line(talk, line, complaint):
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(write(talk, ref_dot_stm=line) / "ref.stm")


def test_a_second_channel_alone_is_warned_of(talk, caplog):
    dataset = open_dataset(write(talk, ref_dot_stm="talk B anna 0 1 да\n") / "ref.stm")
    assert levels(dataset) == [("talk-0.00-1.00", "да", 1.0, 0.125)]
    assert "ref.stm, line 1: 'talk' is of channel B; channels are mixed into one" in caplog.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ @ / э } да", "да"),
        ("{ да }", "{ да }"),
        ("{ да / нет", "{ да / нет"),
        ("да / нет }", "да / нет }"),
        ("{а / б}в", "а в"),
        ("{ { а / б } / в } г", "а г"),
        ("а { б / в / г } д { е / ж }", "а б д е"),
        ("при {NOISE} 1/2", "при {NOISE} 1/2"),
        ("", ""),
    ],
)
def test_alternatives(text, expected):
    assert first_alternative(text) == expected


def test_a_tag_at_the_begin_is_no_label(tmp_path):
    path = write(tmp_path, a_dot_stm="a 1 s 0 1 <unk>\na 1 s 1 2 <unk> да\na 1 s 2 3 <f0> да\n") / "a.stm"
    assert [segment.text for segment in read_stm(path)] == ["<unk>", "<unk> да", "да"]


def test_trn_and_ctm(talk):
    write(
        talk,
        hyp_dot_trn=";; comment\nда { нет / не } (talk)\n  (gone)\nда (нет) (gone-2)\n",
        words_dot_ctm="talk 1 1.0 0.5 два 0.9\ntalk 1 0.2 0.5 раз\ntalk 1 * * <ALT_BEGIN>\n"
        "talk 1 2.0 0.5 три\n"
        "talk 1 * * <ALT>\ntalk 1 2.0 0.5 тире\ntalk 1 * * <ALT_END>\ntalk 1 2.6 0.1 <eps> 1.0\n",
    )
    dataset = open_dataset(talk / "hyp.trn")
    assert [(each.id, each.reference, each.audio.name) for each in dataset] == [
        ("hyp/talk", "да нет", "talk.wav")
    ]
    assert findings(dataset) == [("gone", "blank reference"), ("gone-2", "no audio")]
    [whole] = list(open_dataset(talk / "words.ctm"))
    assert (whole.id, whole.reference, whole.audio.name) == ("words/talk", "раз два три", "talk.wav")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a_dot_trn", "да talk\n", r"a\.trn, line 1: no id in parentheses"),
        ("a_dot_trn", "да (a)\nнет (a)\n", r"line 2: the id 'a' was in .*line 1 already"),
        ("a_dot_ctm", "talk 1 0 0.5\n", r"a\.ctm, line 1: 4 fields; a word is"),
        ("a_dot_ctm", "talk 1 0 -0.5 да\n", "the duration '-0.5' is no number of seconds, 0 or more"),
        ("a_dot_ctm", "talk 1 0 0.5 да высокая\n", "the confidence 'высокая' is no number"),
    ],
)
def test_broken_trn_and_ctm(talk, name, text, complaint):
    with pytest.raises(DatasetError, match=complaint):
        open_dataset(write(talk, **{name: text}) / name.replace("_dot_", "."))


def test_a_file_of_cp1251_and_a_broken_gzip(talk):
    (talk / "ref.stm").write_bytes("talk 1 a 0 1 да\n".encode("cp1251"))
    with pytest.raises(DatasetError, match="is not UTF-8"):
        open_dataset(talk / "ref.stm")


@pytest.mark.slow
def test_segments_are_transcribed_as_their_pieces(tmp_path, clear_clips, engine):
    """Two clips in one recording: each segment is heard as the clip alone."""
    first, second = clear_clips[:2]
    gap = np.zeros(RATE // 2, np.float32)
    (tmp_path / "talk.wav").write_bytes(as_wav(np.concatenate([first.waveform, gap, second.waveform])))
    middle = len(first.waveform) / RATE
    rows = [
        (0.0, middle, first.text),
        (middle + 0.5, middle + 0.5 + len(second.waveform) / RATE, second.text),
    ]
    write(
        tmp_path, ref_dot_stm="".join(f"talk 1 s {start:.6f} {end:.6f} {text}\n" for start, end, text in rows)
    )
    for utterance, clip in zip(open_dataset(tmp_path / "ref.stm"), (first, second), strict=True):
        waveform = decoded(utterance.audio).waveform
        assert abs(len(waveform) - len(clip.waveform)) <= 1
        assert engine.transcribe(waveform, sample_rate=RATE).text == engine.transcribe(clip.path).text
