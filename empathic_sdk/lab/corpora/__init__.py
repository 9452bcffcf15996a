"""Readers of the public corpora, and what is built from them."""
