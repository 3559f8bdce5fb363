"""Audio of a live stream: raw PCM16 or a container, in bytes that come cut anywhere.

Lives here: what the first bytes announce, decoding while more comes, WAV and MP4 whose end is not known.
May import: `audio`, `runtime` (cancellation), `types`, `spec`, `errors`.
Public: `input.LiveInput`, `detection.LIVE_CONTAINERS`.
"""
