"""Study of live streams, behind `eval stream`: how good, how soon, how steady, at what cost.

Lives here: systems that are streamed to, clocks, measures of a stream's log, tables, plots, the page.
May import: `report`, `plots`, `scoring`, `systems`, `records`, `datasets`, `normalize`, `show`.
Public: `study.study`, `EngineStreamSystem`, `StreamChoice`, `Feeding`, `settling`, `plots`, `tables`.
"""

from typing import TYPE_CHECKING

from gigastt_lab.lazy import lazy

if TYPE_CHECKING:
    from evaluation.stream_study import plots as plots
    from evaluation.stream_study import tables as tables
    from evaluation.stream_study.engine_stream import EngineStreamSystem as EngineStreamSystem
    from evaluation.stream_study.engine_stream import StreamChoice as StreamChoice
    from evaluation.stream_study.feeding import Feeding as Feeding
    from evaluation.stream_study.measures import plain as plain
    from evaluation.stream_study.report import settling as settling
    from evaluation.stream_study.study import settling_of as settling_of
    from evaluation.stream_study.websocket import WebSocketOptions as WebSocketOptions
    from evaluation.stream_study.websocket import WebSocketSystem as WebSocketSystem

__all__, __getattr__, __dir__ = lazy(
    __name__,
    {
        "EngineStreamSystem": "engine_stream:EngineStreamSystem",
        "Feeding": "feeding:Feeding",
        "StreamChoice": "engine_stream:StreamChoice",
        "WebSocketOptions": "websocket:WebSocketOptions",
        "WebSocketSystem": "websocket:WebSocketSystem",
        "plain": "measures:plain",
        "plots": "plots",
        "settling": "report:settling",
        "settling_of": "study:settling_of",
        "tables": "tables",
    },
)
