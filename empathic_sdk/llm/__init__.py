"""Adapters: whatever can write text, as a LanguageModel."""
