"""Raw input to vectors: one file a modality."""
