"""Public names: shown by `dir()`, loaded on first use, and found under the import paths of before."""

import importlib
import importlib.util
import subprocess
import sys

import pytest

import evaluation
import gigastt_lab
from gigastt_lab.moved import MOVED, new_path
from tests.support.paths import ROOT

PACKAGES = (
    "gigastt_lab",
    *(f"gigastt_lab.{room}" for room in ("audio", "models", "streaming")),
    "evaluation",
    *(f"evaluation.{room}" for room in ("datasets", "records", "report", "systems")),
    *(f"evaluation.{study}_study" for study in ("speed", "stream")),
)

# What README, docs and notebooks said before the modules had rooms.
DOCUMENTED = """
from evaluation import breakdowns, plots, scores, tables
from evaluation.compare import compare
from evaluation.datasets import open_dataset
from evaluation.display import decimal
from evaluation.noise import Noisy, snr_db_of
from evaluation.notebook_view import shown
from evaluation.recorded import recorded
from evaluation.records import load
from evaluation.report import differing_page, worst_page, write_report
from evaluation.report_reading import N_WORST, worst_ids
from evaluation.scores import score, summarize
from evaluation.streaming import plots, tables
from evaluation.streaming.engine_stream import EngineStreamSystem, StreamChoice
from evaluation.streaming.feeding import Feeding
from evaluation.streaming.measures import plain
from evaluation.streaming.report import settling
from evaluation.streaming.study import settling_of, study
from evaluation.systems import SystemSpec, load_system
from evaluation.timing import plots as speed
from evaluation.timing.benchmark import measure
from evaluation.timing.reading import here, load
from evaluation.timing.results import Plan
from evaluation.utterances import audio_of
from gigastt_lab.audio import decode_audio
from gigastt_lab.cancellation import Cancellation
from gigastt_lab.files import ModelFiles
from gigastt_lab.formats import FORMATS, render
from gigastt_lab.models import model_directory
from gigastt_lab.rounding import quantize_weight
"""


@pytest.mark.parametrize("name", PACKAGES)
def test_public_names_are_shown_and_load(name):
    package = importlib.import_module(name)
    assert [each for each in dir(package) if not each.startswith("__")] == sorted(package.__all__)
    for each in package.__all__:
        assert getattr(package, each) is not None
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'no_such_name'"):
        package.no_such_name  # noqa: B018 - what is tried


def test_names_are_shown_before_they_are_loaded():
    code = (
        "import sys, gigastt_lab, evaluation\n"
        "print('load_engine' in dir(gigastt_lab), 'score' in dir(evaluation))\n"
        "print('onnxruntime' in sys.modules, 'pandas' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "True", "False", "False"]


def test_a_module_of_a_room_loads_no_other():
    """Though the room asks the module that it was once for names that it does not know."""
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "from gigastt_lab.runtime import cores\nfrom evaluation.datasets import audio\n"
        "print('onnxruntime' in sys.modules, 'evaluation.datasets.named' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


def test_a_notebook_needs_the_face_alone():
    wanted = {"open_dataset", "recorded", "score", "compare", "write_report", "plots", "tables", "shown"}
    assert wanted <= set(evaluation.__all__)
    assert {"load_engine", "Engine", "StreamingSession"} <= set(gigastt_lab.__all__)


@pytest.mark.slow
def test_documented_paths_of_before_work_and_say_where_they_lead():
    code = (
        "import warnings; warnings.simplefilter('always')"
        + DOCUMENTED
        + DOCUMENTED
        + (
            # A name of the face that was a module: both are served, whichever came first.
            "\nimport evaluation; assert callable(evaluation.compare)"
            "\nassert evaluation.compare.compare is compare"
            "\nimport evaluation.scores, evaluation.scoring.scores"
            "\nevaluation.scores.N = 1; assert evaluation.scoring.scores.N == 1"
        )
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "evaluation.scores is evaluation.scoring.scores now" in ran.stderr
    assert "evaluation.timing is evaluation.speed_study now" in ran.stderr


@pytest.mark.slow
def test_what_moved_is_the_same_thing_under_both_names():
    code = """
import warnings; warnings.simplefilter("ignore")
from unittest import mock
import evaluation.speed_study.results, evaluation.streaming.websocket, evaluation.timing.results
import evaluation.scores, evaluation.scoring.scores
import evaluation.speed_study as study, evaluation.stream_study.websocket
assert evaluation.timing.results.Plan is evaluation.speed_study.results.Plan
assert evaluation.streaming.websocket.WebSocketSystem is evaluation.stream_study.websocket.WebSocketSystem
assert study.results.__name__ == "evaluation.speed_study.results"
with mock.patch("evaluation.scores.score", "patched"):
    assert evaluation.scoring.scores.score == "patched"
assert callable(evaluation.scoring.scores.score)
# Names whose module became a room of its name, and names that went elsewhere than their module.
from evaluation.records import Record, read, write
from evaluation.systems import on_disk
from evaluation.outcomes import Outcome, as_wav, decoded, safe_name, warm_up
from evaluation.cli_options import run_name
from evaluation.streaming.feeding import RATE, speech_bounds
from gigastt_lab.endpointing import Endpointer, EnergyDetector
from gigastt_lab.models import MODEL_DIR_VARIABLE
from gigastt_lab.runtime import RuntimeOptions, available_providers, load_session
from gigastt_lab.rounding import EXACT, WeightRange
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.slow
def test_commands_of_before_run():
    for module in ("evaluation.quantization", "evaluation.serving.soak"):
        ran = subprocess.run(
            [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert f"usage: python -m {new_path(module)}" in ran.stdout


def test_every_old_path_leads_to_a_module_that_is_there():
    missing = [f"{old} -> {new}" for old, new in MOVED.items() if importlib.util.find_spec(new) is None]
    assert missing == []


@pytest.mark.filterwarnings("ignore:evaluation.timing is")
@pytest.mark.parametrize(
    "name", ["evaluation.nothing", "evaluation.timing.nothing", "gigastt_lab.nothing.at_all"]
)
def test_what_never_was_is_not_found(name):
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(name)


def test_importing_the_package_stays_cheap():
    heavy = ["torch", "onnx", "huggingface_hub", "filelock", "av", "soundfile", "matplotlib", "fastapi"]
    heavy += ["anywidget", "traitlets"]
    code = f"import sys, gigastt_lab; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
