"""What is said of speeds, and what is not; the ratio over rounds against the jackknife worked out here."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evaluation.records.files import End, Record
from evaluation.records.machine_load import Load
from evaluation.scoring.latency import speed, speed_ratio
from evaluation.scoring.timing import how_timed, load_warnings, speed_sentence, timing_cells
from evaluation.show.tables import speed_table
from tests.support.made_records import file_of

INFO = {"batch_size": 1, "threads": 2, "warm_up": "1 x 2.3 s"}
NAMES = ("A", "B")


def timed(times, rounds, **header):
    records = [
        Record(id=str(i), reference="да", hypothesis="да", audio_s=2.0, work_s=work_s, round=name)
        for i, (work_s, name) in enumerate(zip(times, rounds, strict=True))
    ]
    return file_of(*records, **{"system_info": INFO, "machine": {"cpu": "X"}} | header)


def both(n_rounds=8, factor=1.5, **header_b):
    rng = np.random.default_rng(0)
    slowdowns = np.exp(rng.normal(0, 0.5, n_rounds)).repeat(3)
    rounds = [f"s/{i // 3}" for i in range(3 * n_rounds)]
    a, b = (slowdowns * np.exp(rng.normal(0, 0.05, len(slowdowns))) for _ in NAMES)
    return timed(a.tolist(), rounds), timed((factor * b).tolist(), rounds, **header_b)


def said(a, b):
    return speed_sentence(speed_ratio(a.records, b.records), NAMES, (a, b))


def test_the_interval_is_the_jackknife_over_rounds():
    a, b = both()
    found = speed_ratio(a.records, b.records)
    work_a, work_b = (np.array([r.work_s for r in f.records]).reshape(-1, 3).sum(axis=1) for f in (a, b))
    logs = np.log((work_b.sum() - work_b) / (work_a.sum() - work_a))
    error = np.sqrt(7 / 8 * ((logs - logs.mean()) ** 2).sum())
    reach = stats.t.ppf(0.975, 7) * error
    ratio = work_b.sum() / work_a.sum()
    assert found.ratio == pytest.approx(ratio)
    assert [found.low, found.high] == pytest.approx([ratio * np.exp(-reach), ratio * np.exp(reach)], rel=1e-4)
    assert (found.n_rounds, found.n_timed) == (8, 24)


def test_turns_are_told_of_and_the_faster_one_stands_first():
    a, b = both()
    told = said(a, b)
    assert told.startswith("Speed: A is 1.5")
    assert "times as fast as B" in told
    assert "24 utterances timed in turns (8 rounds, one at a time, 2 threads)" in told
    assert "not another machine or day" in told
    ratio = speed_ratio(b.records, a.records)
    turned = speed_sentence(ratio, ("B", "A"), (b, a))
    assert turned.split(";")[0].split(",")[0] == told.split(";")[0].split(",")[0]
    even = said(*both(factor=1 / 1.04))  # what these draws make of equal systems is 1.04
    assert even.startswith("Speed: no difference was found; ")


def test_other_batches_are_told_of():
    a, b = both(system_info=INFO | {"batch_size": 8})
    assert "A one at a time, 2 threads; B batches of 8, 2 threads" in said(a, b)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rounds": None}, "timed one after the other"),
        ({"n_rounds": 4}, "took turns in 4 rounds only, and a statement takes 5"),
        ({"machine": {"cpu": "Y"}}, "were timed on different machines"),
        ({"system_info": {}}, "it is not known how B was timed"),
    ],
)
def test_nothing_is_said_of_speeds_that_do_not_compare(change, why):
    a, b = both(change.pop("n_rounds", 8))
    if "rounds" in change:
        change.pop("rounds")
        b = replace(b, records=tuple(replace(record, round=None) for record in b.records))
    b = replace(b, header=replace(b.header, **change))
    told = said(a, b)
    assert told.startswith("Speed: no statement; ")
    assert why in told
    assert "times as fast" not in told


def test_nothing_is_said_of_speeds_on_a_machine_that_others_had():
    """Of equal systems in turns, beside others on more than half of the cores, 3 of 14 intervals missed 1."""
    load = Load(seconds=60, n_samples=9, cores=2, usable_cores=2, other_cpus=0.9)
    a, b = (replace(file, end=End(n_rows=1, load=load)) for file in both())
    assert "times as fast" in said(a, b)
    b = replace(b, end=End(n_rows=1, load=replace(load, other_cpus=1.04)))
    assert said(a, b).startswith("Speed: no statement; A and B took turns, but other processes kept 1.0 of 2")


def test_an_update_of_the_kernel_makes_no_other_machine():
    a, b = both()
    a = replace(a, header=replace(a.header, machine={"os": "Linux 6.1.0 glibc 2.36"}))
    b = replace(b, header=replace(b.header, machine={"os": "Linux 6.1.9 glibc 2.36"}))
    assert "times as fast" in said(a, b)


def test_without_times_there_is_nothing_to_say():
    a = file_of(("да", "да"))
    assert said(a, a) is None
    assert "too short" in said(*(timed([1e-9] * 6, "123456") for _ in NAMES))


def test_only_what_both_did_in_one_round_counts():
    a, b = both()
    other = [replace(record, round="later/0") for record in b.records[:6]]
    b = replace(b, records=(*other, *b.records[6:]))
    found = speed_ratio(a.records, b.records)
    assert (found.n_timed, found.n_rounds) == (18, 6)
    assert found.ratio == pytest.approx(
        sum(r.work_s for r in b.records[6:]) / sum(r.work_s for r in a.records[6:])
    )


def test_how_it_was_timed_in_words():
    a, _ = both()
    assert how_timed(a).to_text() == "in turns (8 rounds), one at a time, 2 threads, warmed up"
    alone = replace(a, records=tuple(replace(record, round=None) for record in a.records))
    assert how_timed(alone).to_text().startswith("on its own, one at a time")
    half = replace(a, records=(*alone.records[:12], *a.records[12:]))
    assert how_timed(half).to_text().startswith("in part in turns (4 rounds)")
    assert how_timed(timed([1.0], [None], system_info={})).to_text() == "not said"
    assert speed(a.records).n_rounds == 8
    # drift from round to round is in the interval of one system's speed, too
    whole, parted = speed(a.records), speed(alone.records)
    assert whole.rtfx == parted.rtfx
    widths = [math.log(one.rtfx_high / one.rtfx_low) for one in (whole, parted)]
    assert widths[0] > 1.3 * widths[1]


def test_a_busy_machine_is_warned_of_once_for_all_that_it_held_up():
    load = Load(seconds=60, n_samples=9, cores=2, usable_cores=2, load_mean=3.8, other_cpus=0.9)
    a, b = (replace(file, end=End(n_rows=1, load=load)) for file in both())
    [warning] = load_warnings({"A": a, "B": b})
    assert "(A and B: load 3.8 on 2 cores, other processes kept 0.9 cores busy)" in warning
    b = replace(b, end=End(n_rows=1, load=replace(load, other_cpus=0.8)))
    [warning] = load_warnings({"A": a, "B": b})  # one for all
    assert "kept 0.9 cores busy; B: load 3.8" in warning
    idle = replace(a, end=End(n_rows=1, load=replace(load, other_cpus=0.0)))
    assert load_warnings({"A": idle, "B": replace(b, end=None)}) == []
    assert timing_cells(a)["load"] == "load 3.8 on 2 cores, others 0.9"


def test_every_speed_table_has_the_columns_even_of_old_summaries():
    import pandas as pd

    row = dict.fromkeys(
        ("rtfx", "rtfx_low", "rtfx_high", "p50_s", "p95_s", "p99_s", "audio_s", "work_s"), 1.0
    )
    table = pd.DataFrame([row | {"n_timed": 3}], index=["A"])
    assert list(speed_table(table)["How"]) == ["–"]
    shown = speed_table(table.assign(how_timed="on its own", load="load 1.0 on 2 cores"))
    assert (shown["How"][0], shown["Machine"][0]) == ("on its own", "load 1.0 on 2 cores")
