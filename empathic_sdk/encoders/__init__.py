"""Encoders: raw input to vectors, one module per modality."""
