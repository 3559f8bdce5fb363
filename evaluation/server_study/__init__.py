"""The server as its clients see it: how fast, at what cost in memory (`cli`), and for how long (`soak`)."""
