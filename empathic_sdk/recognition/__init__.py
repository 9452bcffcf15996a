"""Recognition: utterances in, emotion states out."""
