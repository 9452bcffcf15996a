"""Networks: from tensors to a named output, without losses and I/O."""
