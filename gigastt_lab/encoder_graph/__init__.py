"""The encoder's graph, rewritten for one utterance at a time on a CPU, and packed for this processor.

`loading` is what `networks` calls, `cache` keeps what was made once, `prepare` makes it, `rewrite` says what
is changed (`attention`, `products`), with an `editor` that walks a graph and changes it.
"""
