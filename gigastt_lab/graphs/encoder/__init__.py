"""The encoder's graph, rewritten for one utterance at a time on a CPU, and packed for this processor.

`recognition.networks` calls `loading`; `prepare` makes the graph that `runtime.cache` keeps; `rewrite`
lists the steps, which are in `attention` and `products`.
"""
