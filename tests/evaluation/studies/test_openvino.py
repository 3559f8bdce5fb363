"""The table beside OpenVINO, of the engine's encoders and one that is made up: OpenVINO is no requirement."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.studies import openvino
from gigastt_lab.models.registry import DEMO_MODEL, model_directory


def test_a_row_for_each_with_the_error_from_the_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(openvino, "_AUDIO_S", (1.0, 2.0))
    ours = []
    for contestant in openvino.contestants(model_directory(DEMO_MODEL), 1):
        ours.append(contestant)
        if len(ours) == 2:
            break  # OpenVINO's come next
    fp32 = ours[0]
    louder = openvino.Contestant("made up", lambda features: fp32.run(features) * np.float32(1.5), 0.25)
    monkeypatch.setattr(openvino, "contestants", lambda directory, threads: [*ours, louder])
    assert openvino.main(["--repetitions", "2", "--threads", "1"]) == 0
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header == "| | 1 s, ms | 2 s, ms | error, median | load, s |"
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == ["ours, FP32", "ours, INT8", "made up"]
    errors = [float(row[3]) for row in cells]
    assert errors[0] == 0.0
    assert 0.005 < errors[1] < 0.03
    assert errors[2] == 0.5
    assert cells[2][4] == "0.2"
