"""Corpora, losses, loop, recipes. The runtime never imports this room."""
