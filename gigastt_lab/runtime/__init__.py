"""ONNX Runtime: sessions and providers, threads, cancellation, and what this processor does with INT8.

Lives here: sessions, forks, cores and CPU quotas, exactness of INT8 products, the cache of optimised models.
May import: `models` (checksums), `types`, `errors`.
Public: `sessions.RuntimeOptions`, `.load_session`, `processor.int8_is_exact`, `cores.default_threads`.
"""

from gigastt_lab.lazy import lazy
from gigastt_lab.runtime.forks import without_telemetry

without_telemetry()  # before any of its modules imports ONNX Runtime

__all__, __getattr__, __dir__ = lazy(__name__, {}, was="sessions")
