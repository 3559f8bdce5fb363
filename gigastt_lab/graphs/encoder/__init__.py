"""The encoder's graph, rewritten for one utterance at a time on a CPU, and packed for this processor.

`loading` is what `recognition.networks` calls, `prepare` makes what `runtime.cache` keeps, `rewrite` says what is
changed (`attention`, `products`).
"""
