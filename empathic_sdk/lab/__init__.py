"""Corpora, recipes, training, runs, evaluation, reports. The runtime never imports this room."""
