"""Texts: digits and their words say the same, sentences are unique, pieces spell the text again."""

import itertools
import re
import shutil
from random import Random

import numpy as np
import pytest

from gigastt_lab.recognition.tokenizer import Tokenizer
from gigastt_lab.training import assistant, open_sentences
from gigastt_lab.training.corpus import Corpus, CorpusSize, build, core, plan
from gigastt_lab.training.pieces import Pieces, character_ids, learn, write_vocabulary
from gigastt_lab.training.spoken import cardinal, digit_groups, ordinal
from gigastt_lab.training.synthesize import ESPEAK_VOICES, HELD_OUT_VOICES, SynthesisError, festival


@pytest.mark.parametrize(
    ("spoken", "words"),
    [
        (cardinal(0), "ноль"),
        (cardinal(22, gender="f"), "двадцать две"),
        (cardinal(60_000), "шестьдесят тысяч"),
        (ordinal(15), "пятнадцатый"),
        (ordinal(3, gender="f", case="a"), "третью"),
        (ordinal(2013, case="g"), "две тысячи тринадцатого"),
        (digit_groups(["8", "905", "07", "00"]), "восемь девятьсот пять ноль семь ноль ноль"),
    ],
)
def test_numbers_are_spoken_as_people_say_them(spoken, words):
    assert spoken == words


@pytest.mark.parametrize("make", [assistant.utterance, open_sentences.utterance])
def test_utterances_are_written_with_capitals_and_spoken_without_digits(make):
    rng = Random(3)
    for _ in range(300):
        written, spoken = make(rng)
        assert written[0].isupper() or written[0].isdigit() or written[0] == "«", written
        assert written[-1] in ".?", written
        assert "  " not in written, written
        assert not re.search(r"[\d₽%]", spoken), spoken
        assert re.fullmatch("[А-Яа-яЁё«»,.?!:% ₽0-9-]+", written), written
        character_ids(spoken)


def test_a_sentence_is_in_one_split_only_and_held_out_voices_are_never_trained():
    entries = plan(CorpusSize(train=300, valid_per_cell=5, test_per_cell=10), seed=1)
    assert len({entry.written.lower() for entry in entries}) == len(entries) == 300 + 6 * 15
    trained = {entry.voice for entry in entries if entry.split == "train"}
    assert not trained & set(HELD_OUT_VOICES)
    assert not set(ESPEAK_VOICES) & set(HELD_OUT_VOICES)
    tested = {(e.kind, e.synthesizer, e.held_out_voice) for e in entries if e.split == "test"}
    assert len(tested) == 6


def test_pieces_spell_the_text_with_every_merge_done(tmp_path):
    rng = Random(5)
    texts = [assistant.utterance(rng)[0] for _ in range(400)]
    vocabulary = tmp_path / "vocab.txt"
    write_vocabulary(learn(texts, 150), vocabulary)
    pieces, tokenizer = Pieces(vocabulary), Tokenizer.from_file(vocabulary)
    assert len(tokenizer) == 151
    assert tokenizer.blank_id == 150
    for text in texts:
        ids = pieces.ids(text)
        assert tokenizer.text(ids) == text
        spelt = [tokenizer.pieces[i] for i in ids]
        joined = {left + right for left, right in itertools.pairwise(spelt) if "▁" not in right}
        assert not joined & set(tokenizer.pieces), text  # no merge was left undone
    assert pieces.ids("Щ@")[-1] == 0  # unknown


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ("Салют, включи Матрицу, пожалуйста.", "включи матрицу"),
        ("Включи «Матрицу»!", "включи матрицу"),
        ("Сбер, да.", "да"),
        ("Алиса.", "алиса"),
    ],
)
def test_the_core_of_a_sentence_lacks_address_and_politeness(spoken, expected):
    assert core(spoken) == expected


@pytest.mark.skipif(not shutil.which("espeak-ng") or not shutil.which("festival"), reason="no synthesizers")
def test_a_corpus_is_spoken_whole(tmp_path):
    build(tmp_path, size=CorpusSize(train=6, valid_per_cell=1, test_per_cell=1), seed=2, processes=1)
    data = Corpus(tmp_path)
    assert len(data.entries) == 6 + 12
    assert not list(tmp_path.glob("*.partial"))
    for entry in data.entries:
        waveform = data.waveform(entry)
        assert 0.3 < len(waveform) / 16_000 < 20
        assert np.abs(waveform).max() > 0.05
    assert sum(1 for spoken in festival(["«Матрица»", "да"]) if spoken is not None) == 2


def test_a_missing_synthesizer_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisError, match="espeak-ng is not installed: apt-get install"):
        build(tmp_path / "corpus", size=CorpusSize(train=1))
    assert not (tmp_path / "corpus").exists()
