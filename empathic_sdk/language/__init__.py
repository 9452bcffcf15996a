"""Language: normalisation, sentences, dialogue acts, templates, surface realisation."""

from empathic_sdk.language.folders import add_language, remove_language

__all__ = ["add_language", "remove_language"]
