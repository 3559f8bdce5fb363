"""Quantization of the encoder: from FP32 to an INT8 graph, calibrated on speech.

Lives here: the INT8 graph, calibration statistics, GPTQ, SmoothQuant, comparison of encoders.
May import: `recognition`, `graphs`, `audio`, `runtime`, `models`, `types`, `spec`, `errors`.
Public: `quantize.quantize_encoder`, `calibration.calibrate`, `comparison.measure_speed`.
"""
