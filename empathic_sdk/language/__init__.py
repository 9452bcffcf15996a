"""Language: normalisation, sentences, dialogue acts, templates, surface realisation."""
