"""The benchmark of the server: a short run against the real process, and its parts on made numbers."""

import json
import os
import wave
from io import BytesIO

import pytest

from evaluation.cli import main as cli
from evaluation.server_study.client import Address, Answer
from evaluation.server_study.clips import Material, measured_wav
from evaluation.server_study.load import Exchange, summary
from evaluation.server_study.overhead import difference_of_medians
from evaluation.server_study.process import ServerProcess, footprint
from evaluation.stream_study.clocks import CLOCKS
from evaluation.systems.base import SystemUnavailableError
from gigastt_lab.audio.reading import decode_audio

pytestmark = pytest.mark.slow

SHORT = ("--seconds", "0.5", "--clients", "1,3", "--pool-sizes", "1,2", "--streams", "2")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of a short run, and what it printed."""
    folder = tmp_path_factory.mktemp("server")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIGASTT_RATE_LIMIT_PER_MINUTE", "1")  # of this user; what is measured is what flags say
        patch.setitem(CLOCKS, "real", CLOCKS["simulated"])  # no waiting in tests
        printed = []
        patch.setattr("evaluation.cli.output.write_text", printed.append)
        assert cli.main(["server", *SHORT, "--out", str(folder)]) == 0
    return folder, "".join(printed)


def test_a_short_run_gives_sane_numbers(ran):
    content = json.loads((ran[0] / "server.json").read_text())
    assert [one["n_clients"] for one in content["loads"]] == [1, 3]
    for one in content["loads"]:
        assert one["n_ok"] == one["latency"]["n"] > 0
        assert one["n_busy"] == one["n_other"] == 0
        assert 0 < one["latency"]["p50"] <= one["latency"]["p95"] <= one["latency"]["p99"]
        assert one["latency"]["low"] <= one["latency"]["high"]
        assert one["requests_per_s"]["rate"] <= 2 * one["n_ok"]  # of half a second
    over = content["overhead"]
    assert over["difference_s"] == pytest.approx(over["http_s"] - over["engine_s"])
    assert over["low"] <= over["high"]
    assert over["outside_s"] > 0
    assert (over["engine"]["model"], over["engine"]["precision"]) == (
        "gigaam-demo",
        content["server"]["encoder"],
    )
    [streams] = content["streams"]
    assert (streams["n_at_once"], streams["n_failed"]) == (2, 0)
    assert streams["decision_to_final"]["n"] > 0
    assert content["machine"]["cores"] >= 1
    assert content["packages"]["onnxruntime"]
    assert content["command"].startswith("python -m gigastt_lab.eval server --seconds 0.5")


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="/proc tells of memory")
def test_memory_is_that_of_the_server(ran):
    content = json.loads((ran[0] / "server.json").read_text())
    assert [one["pool_size"] for one in content["memory"]] == [1, 2]
    for one in content["memory"]:
        assert 50e6 < one["loaded"]["resident_bytes"] <= one["worked"]["peak_bytes"] < 2e9
        assert one["worked"]["cpu_s"] > one["loaded"]["cpu_s"]
    few, many = (one["worked"]["resident_bytes"] for one in content["memory"])
    assert content["memory_growth"]["worked"] == pytest.approx(many / few - 1)


def test_tables_and_a_plot(ran):
    folder, printed = ran
    for told in (
        "Clients",
        "p99, ms",
        "Permits",
        "Engine alone",
        "Overhead over the engine",
        "Decision to final",
    ):
        assert told in printed
    assert str(folder / "server.png") in printed
    assert (folder / "server.png").read_bytes().startswith(b"\x89PNG")


def test_the_audio_is_exactly_four_seconds():
    with wave.open(BytesIO(measured_wav())) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (16_000, 2, 1)
        assert file.getnframes() == 4 * 16_000


def test_every_container_holds_the_same_speech():
    material = Material.made()
    assert set(material.files) == {"wav", "flac", "mp3", "ogg", "m4a", "webm"}
    for audio in material.files.values():
        assert len(decode_audio(audio)) / 16_000 == pytest.approx(4.0, abs=0.1)
    assert len(material.pcm[48_000]) == 8 * 48_000 * 2


def test_refusals_count_apart_and_have_no_latency():
    statuses = (200, 503, 0, 200, 429)
    exchanges = [Exchange(0.1 * place, 0.2, status) for place, status in enumerate(statuses)]
    found = summary(exchanges, 1, 1.0)
    assert (found.n_ok, found.n_busy, found.n_other, found.latency.n) == (2, 1, 2, 2)


def test_what_ends_after_the_run_is_no_part_of_its_rate():
    found = summary([Exchange(0.5, 0.4, 200), Exchange(0.9, 0.4, 200)], 1, 1.0)
    assert (found.n_ok, 1000 * found.rate.rate) == (2, pytest.approx(1.0))


def test_the_interval_of_a_difference_holds_what_drifts_together():
    drift = [float(place) for place in range(40)]
    found = difference_of_medians([[each + 3.0] for each in drift], [[each] for each in drift])
    assert (found["difference_s"], found["low"], found["high"]) == (3.0, 3.0, 3.0)


def test_a_server_that_is_not_there_ends_the_command(tmp_path, capsys):
    assert cli.main(["server", "--url", "http://127.0.0.1:9", "--out", str(tmp_path)]) == 1
    assert "start the server first" in capsys.readouterr().err


def test_a_server_that_cannot_start_says_why(tmp_path):
    with (
        pytest.raises(SystemUnavailableError, match="nothing"),
        ServerProcess(["--model", "nothing"], tmp_path / "log"),
    ):
        pass


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--clients", "0"), "numbers of 1 or more"),
        (("--pool-sizes", "1,x"), "numbers of 1 or more"),
        (("--seconds", "0"), "0.1 or more"),
        (("--url", "ws://h"), "give http://host:port"),
    ],
)
def test_what_cannot_be_asked_for(arguments, complaint, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["server", *arguments])
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_addresses_and_answers():
    assert Address.of("http://[::1]:80").websocket_url == "ws://[::1]:80/v1/ws"
    assert Answer(400, b'{"code": "bad_request", "message": ""}').error_code is None
    assert Answer(400, b"[1]").error_code is None


def test_a_process_that_is_not_there_has_no_footprint():
    assert footprint(None) is None
    assert footprint(2**22 + 1) is None
