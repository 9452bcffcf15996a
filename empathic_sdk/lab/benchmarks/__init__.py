"""Speed and memory, measured from outside."""
