"""Adapters that turn other text generators into a ``LanguageModel``."""
