from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigastt_lab.recognition.search import GreedySearch, Tokens
from tests.support.examples import examples
from tests.support.fakes import FakeJoiner, FakePredictor, ScriptedJoiner, ScriptedPredictor, eighths
from tests.support.search_reference import frame_by_frame

N_VOCABULARY = 7
BLANK = N_VOCABULARY - 1


def random_batch(lengths: Sequence[int], n_encoded: int, seed: int) -> np.ndarray:
    """Frames of all lengths; what lies beyond an utterance's end is loud, so that touching it would show."""
    rng = np.random.default_rng(seed)
    encoded = eighths(rng, len(lengths), max(lengths), n_encoded)
    for row, length in zip(encoded, lengths, strict=True):
        row[length:] = 100.0
    return encoded


def assert_same(tokens: Tokens, expected: list[tuple[int, int, float]]) -> None:
    assert list(zip(tokens.ids.tolist(), tokens.frames.tolist(), strict=True)) == [e[:2] for e in expected]
    np.testing.assert_allclose(tokens.probabilities, [e[2] for e in expected], rtol=1e-5)


networks = st.builds(
    lambda seed, bias: (
        FakePredictor(seed),
        FakeJoiner(N_VOCABULARY, seed, blank_bias=bias),
    ),
    st.integers(0, 10_000),
    # From a dozen symbols a frame to long runs of blanks.
    st.sampled_from([-4.0, 0.0, 2.0, 3.0, 4.0, 6.0]),
)


@settings(max_examples=examples(150))
@given(
    networks=networks,
    lengths=st.lists(st.integers(0, 20), min_size=1, max_size=5),
    window=st.none() | st.integers(1, 8),
    max_symbols=st.integers(1, 4),
    seed=st.integers(0, 10_000),
)
def test_equals_frame_by_frame_search(
    networks: tuple[FakePredictor, FakeJoiner],
    lengths: list[int],
    window: int | None,
    max_symbols: int,
    seed: int,
) -> None:
    predictor, joiner = networks
    encoded = random_batch(lengths, joiner.n_encoded, seed)
    search = GreedySearch(predictor, joiner, blank_id=BLANK, max_symbols=max_symbols, window=window)
    results, states = search(encoded, np.array(lengths))
    for tokens, state, frames, length in zip(results, states, encoded, lengths, strict=True):
        assert_same(tokens, frame_by_frame(predictor, joiner, frames[:length], BLANK, max_symbols))
        assert state.n_frames == length


@settings(max_examples=examples(100))
@given(
    networks=networks,
    lengths=st.lists(st.integers(0, 20), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 20), max_size=4),
    max_symbols=st.integers(1, 3),
    seed=st.integers(0, 10_000),
)
def test_parts_equal_the_whole(
    networks: tuple[FakePredictor, FakeJoiner],
    lengths: list[int],
    cuts: list[int],
    max_symbols: int,
    seed: int,
) -> None:
    predictor, joiner = networks
    encoded = random_batch(lengths, joiner.n_encoded, seed)
    search = GreedySearch(predictor, joiner, blank_id=BLANK, max_symbols=max_symbols)
    whole, whole_states = search(encoded, np.array(lengths))

    edges = [0, *sorted(cut for cut in cuts if cut <= max(lengths)), max(lengths)]
    states = [search.start] * len(lengths)
    parts: list[list[Tokens]] = [[] for _ in lengths]
    for begin, end in pairwise(edges):
        left = np.clip(np.array(lengths) - begin, 0, end - begin)
        tokens, states = search(encoded[:, begin:end], left, states)
        for collected, part in zip(parts, tokens, strict=True):
            collected.append(part)
    for collected, expected, state, expected_state in zip(parts, whole, states, whole_states, strict=True):
        joined = Tokens.concatenate(collected)
        np.testing.assert_array_equal(joined.ids, expected.ids)
        np.testing.assert_array_equal(joined.frames, expected.frames)
        np.testing.assert_allclose(joined.probabilities, expected.probabilities, rtol=1e-5)
        assert state.n_frames == expected_state.n_frames
        np.testing.assert_array_equal(state.hidden, expected_state.hidden)


def scripted(tokens_in_frame: list[int], max_symbols: int) -> tuple[GreedySearch, np.ndarray]:
    """Frame t emits `tokens_in_frame[t]` tokens (0, 1, 2, ...), if the limit lets it."""
    script = list(range(sum(tokens_in_frame)))
    search = GreedySearch(
        ScriptedPredictor(),
        ScriptedJoiner(script, n_vocabulary=20),
        blank_id=19,
        max_symbols=max_symbols,
        window=3,
    )
    return search, np.cumsum(tokens_in_frame).astype(np.float32).reshape(1, -1, 1)


def test_tokens_and_frames_of_a_known_script() -> None:
    # frame    0  1  2  3  4  5  6
    # tokens   .  0  .  .  12 .  3
    search, encoded = scripted([0, 1, 0, 0, 2, 0, 1], max_symbols=10)
    (tokens,), _ = search(encoded, np.array([7]))
    assert tokens.ids.tolist() == [0, 1, 2, 3]
    assert tokens.frames.tolist() == [1, 4, 4, 6]
    assert len(tokens) == 4
    assert tokens.probabilities == pytest.approx(np.exp(10) / (np.exp(10) + 19))


def test_a_full_frame_hands_the_rest_to_the_next() -> None:
    # frame             0    1  2        frame 0 holds five tokens, two fit into each frame
    # tokens           01   23  4
    search, encoded = scripted([5, 0, 0], max_symbols=2)
    (tokens,), _ = search(encoded, np.array([3]))
    assert tokens.ids.tolist() == [0, 1, 2, 3, 4]
    assert tokens.frames.tolist() == [0, 0, 1, 1, 2]


def test_a_full_frame_at_the_end_of_a_part() -> None:
    search, encoded = scripted([5, 0, 0], max_symbols=2)
    (first,), states = search(encoded[:, :1], np.array([1]))
    (second,), _ = search(encoded[:, 1:], np.array([2]), states)
    assert first.frames.tolist() == [0, 0]
    assert second.frames.tolist() == [1, 1, 2]
    assert [*first.ids, *second.ids] == [0, 1, 2, 3, 4]


def test_the_predictor_runs_once_per_token_and_the_joiner_less_than_once_per_frame() -> None:
    predictor = FakePredictor()
    joiner = FakeJoiner(N_VOCABULARY, blank_bias=8.0)
    search = GreedySearch(predictor, joiner, blank_id=BLANK)
    predictor.rows = 0
    (tokens,), _ = search(random_batch([200], joiner.n_encoded, 0), np.array([200]))
    assert 10 < len(tokens) < 60
    assert predictor.rows == len(tokens)
    assert joiner.calls < 120


def test_no_frames_and_no_utterances() -> None:
    joiner = FakeJoiner(N_VOCABULARY)
    search = GreedySearch(FakePredictor(), joiner, blank_id=BLANK)
    for n_frames in (0, 4):
        (tokens,), (state,) = search(np.zeros((1, n_frames, 3), np.float32), np.array([0]))
        assert len(tokens) == 0
        assert state is search.start
    assert search(np.zeros((0, 5, 3), np.float32), np.zeros(0, np.int64)) == ([], [])
    assert joiner.calls == 0


def test_states_stay_as_they_are() -> None:
    joiner = FakeJoiner(N_VOCABULARY, blank_bias=-2.0)
    search = GreedySearch(FakePredictor(), joiner, blank_id=BLANK)
    encoded = random_batch([10, 10], joiner.n_encoded, 1)
    _, states = search(encoded, np.array([10, 10]))
    once, _ = search(encoded, np.array([10, 10]), states)
    again, _ = search(encoded, np.array([10, 10]), states)
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first.ids, second.ids)
        np.testing.assert_array_equal(first.frames, second.frames)
        assert first.frames.min() >= 10
    (fresh, _), _ = search(encoded, np.array([10, 10]))
    assert fresh.frames.min() < 10


def test_threads_share_one_search() -> None:
    joiner = FakeJoiner(N_VOCABULARY, blank_bias=2.0)
    search = GreedySearch(FakePredictor(), joiner, blank_id=BLANK)
    batches = [random_batch([50, 30], joiner.n_encoded, seed) for seed in range(8)]
    lengths = np.array([50, 30])
    alone = [search(batch, lengths)[0] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: search(batch, lengths)[0], batches))
    for one, other in zip(alone, together, strict=True):
        assert [tokens.ids.tolist() for tokens in one] == [tokens.ids.tolist() for tokens in other]


@pytest.mark.parametrize("options", [{"max_symbols": 0}, {"window": 0}])
def test_options_below_one(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="give 1 or more"):
        GreedySearch(FakePredictor(), FakeJoiner(N_VOCABULARY), blank_id=BLANK, **options)


@pytest.mark.parametrize("lengths", [[3], [3, 5]])
def test_lengths_that_do_not_fit(lengths: list[int]) -> None:
    search = GreedySearch(FakePredictor(), FakeJoiner(N_VOCABULARY), blank_id=BLANK)
    with pytest.raises(ValueError, match="one length and one state per utterance"):
        search(np.zeros((2, 4, 3), np.float32), np.array(lengths))
