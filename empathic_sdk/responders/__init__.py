"""Responders: the embedded one, and any language model."""
