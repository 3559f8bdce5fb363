"""Live streams, measured: how good, how soon, how steady, at what cost. See `streaming.measures`."""
