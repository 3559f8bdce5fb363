"""The encoder's graph, rewritten for one utterance at a time on a CPU, and packed for this processor.

`loading` is what `networks` calls, `prepare` makes what `model_cache` keeps, `rewrite` says what is changed
(`attention`, `products`), with an `editor` that walks a graph and changes it.
"""
