"""Reports of recorded runs as pages."""
