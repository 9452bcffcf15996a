"""Networks: tensors in, a named output out. No loss, no I/O."""
