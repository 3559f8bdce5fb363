"""Streams whose results are known: a timer that work moves on, an engine that says the same each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from evaluation.datasets.audio import as_wav
from evaluation.records.files import End, Header, Record, RecordFile
from evaluation.stream_study.engine_stream import EngineStreamSystem, StreamChoice
from evaluation.stream_study.feeding import Feeding
from gigastt_lab.types import StreamResult, Timings, Word

RATE = 16_000


class Time:
    """A timer that only work moves on."""

    def __init__(self):
        self.now = 5.0

    def __call__(self):
        return self.now


def tone(seconds, *, start_s=0.2):
    """A WAV file of a clip with a tone from `start_s` to 0.2 s before its end."""
    waveform = np.zeros(round(seconds * RATE), np.float32)
    first, last = round(start_s * RATE), round((seconds - 0.2) * RATE)
    waveform[first:last] = 0.3 * np.sin(0.3 * np.arange(last - first))
    return as_wav(waveform)


class Session:
    """Says a word more each second, and "Раз два." once so much has come; each piece takes `work_s`."""

    def __init__(self, time, *, work_s=0.01, final_s=2.0, fails=False):
        self.time, self.work_s, self.final_s, self.fails = time, work_s, final_s, fails
        self.heard_s, self.n_shown, self.is_final = 0.0, 0, False

    def accept(self, audio):
        if self.fails:
            raise RuntimeError("no memory")
        self.heard_s += len(audio) / 2 / RATE
        self.time.now += self.work_s
        found = []
        if not self.is_final and self.heard_s >= self.final_s - 1e-6:
            self.is_final = True
            found.append(result("final", "Раз два.", self.heard_s, reason="silence"))
        elif not self.is_final and int(self.heard_s + 1e-6) > self.n_shown:
            self.n_shown += 1
            found.append(result("partial", "раз" + " два" * (self.n_shown - 1), self.heard_s))
        return found

    def finish(self):
        self.time.now += self.work_s
        return [] if self.is_final else [result("final", "Раз два.", self.heard_s, reason="stop")]


class Engine:
    def __init__(self, time, **session):
        self.time, self.session, self.opened = time, session, []

    def stream(self, sample_rate, options):
        self.opened.append((sample_rate, options))
        return Session(self.time, **self.session)


def system(engine, *, preset="balanced", feeding=None, new_clock=None, n_streams=1, **changes):
    return EngineStreamSystem(
        engine,
        StreamChoice.of(preset, changes),
        feeding or Feeding(),
        base="made",
        info={"model": "made"},
        n_streams=n_streams,
        new_clock=new_clock,
    )


def result(kind, text, heard_s, *, reason=None):
    words = tuple(Word(word, 0.1, 0.2, 0.9) for word in text.split())
    return StreamResult(kind, 0, words, len(text), 0.0, heard_s, heard_s, reason, Timings())


def file_of(outcomes, *, name="made", kind="stream", references=None):
    """A record file of outcomes; each reference is "раз два" unless others are given."""
    records = tuple(
        Record(
            id=f"u{number}",
            reference=(references or ["раз два"] * len(outcomes))[number],
            hypothesis=outcome.hypothesis,
            error=outcome.error,
            audio_s=outcome.audio_s,
            work_s=outcome.work_s,
            words=outcome.words,
            stream=outcome.stream,
        )
        for number, outcome in enumerate(outcomes)
    )
    info = {"kind": kind, "clock": "simulated", "chunk_ms": 100, "silence_ms": 2000, "batch_size": 1}
    header = Header(system=name, system_info=info, dataset={"name": "made", "revision": "1"})
    return RecordFile(Path(f"{name}.jsonl"), header, records, End(n_rows=len(records)), 0)


def without_streams(file, *, name="whole files"):
    header = replace(file.header, system=name, system_info={"kind": "engine"})
    return replace(
        file,
        path=Path(f"{name}.jsonl"),
        header=header,
        records=tuple(replace(record, stream=None) for record in file.records),
    )
