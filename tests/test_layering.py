"""Which way imports point, as the design draws it: read from the sources, without importing them."""

import ast
import graphlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for package in ("gigastt_lab", "evaluation")
    for path in (ROOT / package).rglob("*.py")
}

# A package on the left is imported only in the files whose path starts as on the right.
ONLY_IN = {
    "evaluation": ("evaluation/", "gigastt_lab/eval.py"),
    **dict.fromkeys(("fastapi", "starlette", "pydantic", "uvicorn"), ("gigastt_lab/server/",)),
    "prometheus_client": ("gigastt_lab/server/metrics.py",),
    "matplotlib": (
        "evaluation/plots/",
        *(f"evaluation/{part}/plots.py" for part in ("streaming", "serving", "timing")),
    ),
    "datasets": ("evaluation/datasets.py",),
    "torch": ("gigastt_lab/training/",),
    **dict.fromkeys(("anywidget", "ipywidgets", "traitlets"), ("gigastt_lab/widgets/",)),
}
# Slow to import or seldom needed: inside functions only, except in training.
LATE_ONLY = {"huggingface_hub", "filelock", "onnx"}

# What the parts of gigastt_lab may import of it, besides themselves and FOR_ALL.
FOR_ALL = {"spec", "types", "errors"}
ARROWS = {
    **{leaf: set() for leaf in ("search", "formats", "features", "tokenizer", "files", "rich")},
    "types": {"rich"},  # how a transcript shows itself in a notebook
    "storage": {"files", "models"},
    "hub_client": set(),
    "hub": {"hub_client", "models", "storage"},
    "download": {"models", "files", "hub", "storage"},
    "prepare": {"models", "download", "files", "quantize", "quantized_graph", "storage"},
    "audio": {"containers", "decoders", "resample", "samples", "cancellation"},  # one topic in several files
    "cancellation": set(),
    "models": {"files"},  # `files` names a model directory's files
    "rounding": set(),
    "quantized_graph": {"rounding"},
    "calibration": {"quantized_graph", "rounding", "features", "runtime"},  # runs the encoder over speech
    "smoothing": {"calibration", "quantized_graph"},
    "quantize": {"files", "storage", "quantized_graph", "rounding", "smoothing"}
    | {"runtime"}  # a graph that does not load gets no name
    | {"calibration", "encoder_comparison"},  # whose clips are what it calibrates on
    "networks": {"runtime", "files", "head", "graph_weights", "encoder_graph", "model_cache", "int8_weights"},
    "model_cache": {"storage"},  # for checksums
    "graph_file": set(),
    "encoder_graph": {"runtime", "model_cache", "graph_file", "int8_weights"},
    "head": {"head_graphs", "runtime"},
    "head_graphs": {"graph_weights"},  # predictor and joiner rebuilt from their graphs' weights
    "graph_weights": {"runtime", "graph_file"},
    "recognizer": {"features", "networks", "search", "tokenizer", "runtime", "files"},
    "stitching": set(),
    "inputs": {"audio"},
    "windows": {"recognizer", "stitching", "tokenizer", "endpointing"},
    "stream_options": set(),
    "feature_buffer": set(),
    "endpointing": {"stream_options"},
    "silero": {"endpointing", "runtime"},
    "partial_search": {"recognizer", "search", "feature_buffer", "stream_options"},
    "stream_input": {"audio", "endpointing", "feature_buffer", "features", "samples"},
    "streaming": {"endpointing", "partial_search", "recognizer", "search", "stitching", "stream_input"}
    | {"stream_options", "tokenizer"},
    "buckets": {"networks"},
    "cores": set(),
    "runtime": {"cores", "cancellation"},
    "int8_products": {"runtime", "model_cache", "rounding"},
    "int8_weights": {"int8_products", "model_cache", "quantized_graph", "rounding", "runtime"},
    "encoder_comparison": {"audio", "features", "models", "networks"},
    "engine": {"recognizer", "models", "runtime", "tokenizer", "files"}
    | {"inputs", "windows", "streaming", "stream_options", "endpointing"}
    | {"networks", "buckets", "int8_products", "int8_weights"},
}
ENGINE_USERS = {"__init__", "__main__", "commands", "serve", "server", "widgets", "training"}


def module_name(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def part(module):
    """`search` of `gigastt_lab.search`, `server` of `gigastt_lab.server.app`; the root is `__init__`."""
    return [*module.split("."), "__init__"][1]


def imports(path, source, modules):
    """(module, whether it is loaded together with this file) for every import; own modules in full."""
    package = module_name(path) if path.endswith("/__init__.py") else module_name(path).rpartition(".")[0]
    tree = ast.parse(source)
    late_blocks = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    late = {node for block in late_blocks for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            own = name
            while own and own not in modules:
                own = own.rpartition(".")[0]
            yield own or name, node not in late


def is_wrong(path, name, at_once):
    """Whether the file at `path` must not import `name`."""
    package = name.split(".")[0]
    if not path.startswith(ONLY_IN.get(package, ("",))):
        return True
    if not path.startswith("gigastt_lab/"):
        return False
    here, there = part(module_name(path)), part(name)
    if package != "gigastt_lab":
        return package in LATE_ONLY and at_once and here != "training"
    if there in {"engine", "__init__"} and here not in ENGINE_USERS:
        return True
    return here in ARROWS and there not in ARROWS[here] | FOR_ALL | {here}


def wrong_arrows(sources):
    """One line for each import that points the wrong way, and one for a cycle."""
    modules = {module_name(path) for path in sources}
    graph = {}
    found = []
    for path, source in sources.items():
        targets = set(imports(path, source, modules))
        graph[module_name(path)] = {name for name, _ in targets} & modules - {module_name(path)}
        found += [f"{path} imports {name}" for name, at_once in targets if is_wrong(path, name, at_once)]
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found.append("cycle: " + " -> ".join(reversed(error.args[1])))
    return found


def test_imports_point_one_way():
    assert wrong_arrows(SOURCES) == []


@pytest.mark.parametrize(
    ("path", "source", "complaint"),
    [
        ("gigastt_lab/search.py", "from .networks import Joiner", "imports gigastt_lab.networks"),
        ("gigastt_lab/search.py", "from . import networks", "imports gigastt_lab.networks"),
        ("gigastt_lab/search.py", "import gigastt_lab.networks", "imports gigastt_lab.networks"),
        (
            "gigastt_lab/search.py",
            "def late():\n    from .networks import Joiner",
            "imports gigastt_lab.networks",
        ),
        ("gigastt_lab/windows.py", "from .engine import Engine", "imports gigastt_lab.engine"),
        ("gigastt_lab/windows.py", "from gigastt_lab import Engine", "imports gigastt_lab"),
        ("gigastt_lab/streaming.py", "import evaluation.metrics", "imports evaluation.metrics"),
        ("gigastt_lab/runtime.py", "import torch.nn", "imports torch.nn"),
        ("gigastt_lab/serve.py", "from fastapi import FastAPI", "imports fastapi.FastAPI"),
        ("gigastt_lab/models.py", "import huggingface_hub", "imports huggingface_hub"),
        ("gigastt_lab/streaming.py", "import anywidget", "imports anywidget"),
        ("gigastt_lab/quantize.py", "try:\n    import onnx\nexcept ImportError:\n    pass", "imports onnx"),
        ("evaluation/report.py", "def plot():\n    import matplotlib", "imports matplotlib"),
        ("evaluation/runner.py", "import datasets", "imports datasets"),
        ("gigastt_lab/networks.py", "from .networks_b import f", "cycle: "),
    ],
)
def test_a_wrong_arrow_is_caught(path, source, complaint):
    tree = {
        "gigastt_lab/__init__.py": "from .engine import Engine",
        "gigastt_lab/engine.py": "from . import networks",
        "gigastt_lab/networks.py": "from .errors import ModelError",
        "gigastt_lab/networks_b.py": "from .networks import Joiner",
        "gigastt_lab/errors.py": "",
        "evaluation/metrics.py": "",
    }
    assert wrong_arrows(tree) == []
    assert any(complaint in line for line in wrong_arrows({**tree, path: source}))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("gigastt_lab/eval.py", "from evaluation.cli import main"),
        ("gigastt_lab/server/app.py", "from fastapi import FastAPI\nfrom ..engine import Engine"),
        ("gigastt_lab/models.py", "def fetch():\n    import huggingface_hub"),
        ("gigastt_lab/training/export.py", "import onnx, torch"),
        ("gigastt_lab/audio.py", "from . import errors\nfrom .resample import Resampler"),
        ("evaluation/datasets.py", "import datasets"),
        ("evaluation/runner.py", "from .datasets import read\nfrom gigastt_lab import Engine"),
    ],
)
def test_a_right_arrow_is_not(path, source):
    others = ("__init__", "engine", "errors", "resample")
    tree = {f"gigastt_lab/{name}.py": "" for name in others} | {"evaluation/datasets.py": ""}
    assert wrong_arrows({**tree, path: source}) == []


def test_importing_the_package_stays_cheap():
    heavy = ["torch", "onnx", "huggingface_hub", "filelock", "av", "soundfile", "matplotlib", "fastapi"]
    heavy += ["anywidget", "traitlets"]
    code = f"import sys, gigastt_lab; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
