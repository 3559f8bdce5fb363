"""Decoders of a located container, block by block: WAV by libsndfile, all else by FFmpeg's libraries.

Lives here: the two libraries (`libsndfile`, `ffmpeg`), the choice between them (`decoding`), audio without a
header (`raw`), the choice of a track (`tracks`), the file's clock, which turns what is missing into silence
(`clock`).
May import: `audio.containers`, `audio.raw`, `audio.report`, `audio.samples`, `audio.sections`, `errors`.
Public: `decoding.decode_blocks`, `raw.decode_raw`, `decoding.stated_duration`, `blocks.Block`.
"""
