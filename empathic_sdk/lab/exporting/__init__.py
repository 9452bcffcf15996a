"""Writes trained networks as the ONNX files that the runtime computes."""
