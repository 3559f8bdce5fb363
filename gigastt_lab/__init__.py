"""Russian speech recognition with GigaAM v3.

>>> import gigastt_lab
>>> engine = gigastt_lab.load_engine("demo")  # doctest: +SKIP
>>> engine.transcribe("speech.wav").text  # doctest: +SKIP
'Привет.'
"""

from typing import TYPE_CHECKING

from gigastt_lab import moved
from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from gigastt_lab.engine import Engine as Engine
    from gigastt_lab.engine import EngineInfo as EngineInfo
    from gigastt_lab.engine import load_engine as load_engine
    from gigastt_lab.errors import AudioError as AudioError
    from gigastt_lab.errors import AudioNotFoundError as AudioNotFoundError
    from gigastt_lab.errors import AudioTooLongError as AudioTooLongError
    from gigastt_lab.errors import GigasttError as GigasttError
    from gigastt_lab.errors import ModelError as ModelError
    from gigastt_lab.errors import ModelNotFoundError as ModelNotFoundError
    from gigastt_lab.errors import ProviderError as ProviderError
    from gigastt_lab.recognition.windows import WindowOptions as WindowOptions
    from gigastt_lab.streaming.options import EndpointOptions as EndpointOptions
    from gigastt_lab.streaming.options import StreamOptions as StreamOptions
    from gigastt_lab.streaming.session import StreamingSession as StreamingSession
    from gigastt_lab.types import Part as Part
    from gigastt_lab.types import Segment as Segment
    from gigastt_lab.types import StreamResult as StreamResult
    from gigastt_lab.types import Timings as Timings
    from gigastt_lab.types import Transcript as Transcript
    from gigastt_lab.types import Word as Word

# `--help` and tools without a model need neither numpy nor ONNX Runtime.
__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "AudioError": "errors:AudioError",
        "AudioNotFoundError": "errors:AudioNotFoundError",
        "AudioTooLongError": "errors:AudioTooLongError",
        "EndpointOptions": "streaming.options:EndpointOptions",
        "Engine": "engine:Engine",
        "EngineInfo": "engine:EngineInfo",
        "GigasttError": "errors:GigasttError",
        "ModelError": "errors:ModelError",
        "ModelNotFoundError": "errors:ModelNotFoundError",
        "Part": "types:Part",
        "ProviderError": "errors:ProviderError",
        "Segment": "types:Segment",
        "StreamOptions": "streaming.options:StreamOptions",
        "StreamResult": "types:StreamResult",
        "StreamingSession": "streaming.session:StreamingSession",
        "Timings": "types:Timings",
        "Transcript": "types:Transcript",
        "WindowOptions": "recognition.windows:WindowOptions",
        "Word": "types:Word",
        "load_engine": "engine:load_engine",
    },
)

moved.install()
