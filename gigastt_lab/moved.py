"""Import paths of before the rooms, for code and commands that name them: they lead to where a module is now.

`import evaluation.scores` works as before, with a `DeprecationWarning` that names the new path, and so does
`python -m evaluation.quantization`. Modules that became a room of the same name (`gigastt_lab.audio`) hand on
their names themselves (`lazy`).
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any, Final

# Package, old name and new name of each module that kept neither its folder nor its name.
_ROOMS: Final = {
    "gigastt_lab": {
        "audio": "containers decoders resample samples inputs silero",
        "models": "files storage hub hub_client download",
        "runtime": "cancellation cores int8_products:processor model_cache:cache",
        "graphs": "graph_file graph_weights:weights head head_graphs int8_weights "
        "encoder_graph.editor:editor",
        "graphs.encoder": "encoder_graph:",
        "quantization": "quantize quantized_graph:int8_graph calibration rounding:gptq smoothing:smoothquant "
        "encoder_comparison:comparison",
        "recognition": "features networks search tokenizer recognizer windows stitching buckets",
        "streaming": "stream_input:input stream_options:options feature_buffer partial_search:partials "
        "endpointing",
        "server": "server.options:option",
        "": "rich:transcript_html commands.exit_codes:exit_codes",
    },
    "evaluation": {
        "cli": "cli_options:options cli_output:output streaming.cli:stream timing.cli:speed "
        "serving.cli:server",
        "datasets": "utterances manifests rows streams:parquet noise",
        "systems": "outcomes:base engine_system:engine onnx_asr_system:onnx_asr peers:gigastt servers:http "
        "availability timing.operations:timed",
        "run": "runner batching progress recorded:on_demand",
        "records": "recording:writing importing machine streaming.log:stream_log",
        "scoring": "metrics texts counting mapsswe scores compare speed:latency",
        "beyond": "breakdowns scoring.breakdowns:breakdowns",
        "statistics": "bootstrap:intervals streaming.quantiles:quantiles scoring.intervals:intervals "
        "scoring.quantiles:quantiles",
        "report": "report_account:account report_files:writing report_html:html report_markdown:markdown "
        "report_parts:parts report_reading:reading report_sections:sections alignment_view:alignment",
        "show": "display tables notebook_view:notebook serving.files:files",
        "studies": "longform quantization rewriting openvino serving.soak:soak",
        "speed_study": "timing:",
        "stream_study": "streaming:",
        "server_study": "serving:",
    },
}


# Modules to which names of a module went that moved itself.
_NAMES_WENT_TO: Final = {
    "gigastt_lab.endpointing": ("gigastt_lab.audio.vad",),
    "gigastt_lab.rounding": ("gigastt_lab.graphs.weight_range", "gigastt_lab.types"),
    "gigastt_lab.encoder_comparison": ("gigastt_lab.quantization.calibration",),
    "evaluation.outcomes": (
        "evaluation.datasets.audio", "evaluation.records.naming", "evaluation.systems.availability",
    ),
    "evaluation.cli_options": ("evaluation.run.naming",),
    "evaluation.streaming.feeding": ("evaluation.datasets.audio",),
    "evaluation.streams": ("gigastt_lab.errors",),
}  # fmt: skip


def _table() -> dict[str, str]:
    table = {}
    for package, rooms in _ROOMS.items():
        for room, modules in rooms.items():
            for each in modules.split():
                old, colon, new = each.partition(":")
                parts = (package, room, new if colon else old)
                table[f"{package}.{old}"] = ".".join(part for part in parts if part)
    return table


MOVED: Final = _table()
"""Old path to new path; of the modules in a package that moved, the package alone."""


def new_path(old: str) -> str | None:
    """The present path of a module that moved; None of any other.

    >>> new_path("evaluation.scores"), new_path("evaluation.timing.reading"), new_path("evaluation.plots")
    ('evaluation.scoring.scores', 'evaluation.speed_study.reading', None)
    """
    head, tail = old, ""
    while head:
        if head in MOVED:
            return MOVED[head] + tail
        head, _, last = head.rpartition(".")
        tail = f".{last}{tail}"
    return None


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        new = new_path(fullname) if fullname.startswith(("gigastt_lab.", "evaluation.")) else None
        found = None if new is None else importlib.util.find_spec(new)
        if new is None or found is None:
            return None
        warnings.warn(f"{fullname} is {new} now", DeprecationWarning, stacklevel=2)
        return ModuleSpec(
            fullname,
            _Loader(new),
            origin=found.origin,
            is_package=found.submodule_search_locations is not None,
        )


class _Loader(importlib.abc.InspectLoader):
    """Gives a module that hands on all that another one has."""

    def __init__(self, new: str) -> None:
        self._new = new

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Moved(spec.name, self._new)

    def exec_module(self, module: ModuleType) -> None:
        """The other module was executed when it was imported."""

    def get_code(self, fullname: str) -> CodeType | None:
        """For `python -m`."""
        del fullname
        spec = importlib.util.find_spec(self._new)
        loader = None if spec is None else spec.loader
        return loader.get_code(self._new) if isinstance(loader, importlib.abc.InspectLoader) else None

    def get_source(self, fullname: str) -> None:
        del fullname


class _Moved(ModuleType):
    def __init__(self, old: str, new: str) -> None:
        super().__init__(old)
        target = importlib.import_module(new)
        self.__dict__["_target"] = target
        if hasattr(target, "__path__"):
            self.__dict__["__path__"] = []  # its modules are found by `_Finder`, too, and not loaded twice
        # `evaluation.compare` was a module, and is a function: it is described as what it is now.
        function = getattr(target, old.rpartition(".")[2], None)
        self.__dict__["__doc__"] = (function or target).__doc__
        if function is not None:
            self.__dict__["__wrapped__"] = function

    def __getattr__(self, name: str) -> Any:
        places = [self.__dict__["_target"]]
        if not name.startswith("__"):
            places += map(importlib.import_module, _NAMES_WENT_TO.get(self.__name__, ()))
        for place in places:
            with suppress(AttributeError):
                return getattr(place, name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        # What the import system notes stays here; what anybody else sets is meant for the module itself.
        own = name.startswith("__") or isinstance(value, _Moved)
        (super().__setattr__ if own else self._target.__setattr__)(name, value)

    def __delattr__(self, name: str) -> None:
        (super().__delattr__ if name in self.__dict__ else self._target.__delattr__)(name)

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_target"])

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function that has the name of the module."""
        return self.__wrapped__(*arguments, **options)


def install() -> None:
    """Make the old paths importable; a second call does nothing."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
