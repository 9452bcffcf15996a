"""The dialogue manager of the embedded responder: which support strategy comes next."""
