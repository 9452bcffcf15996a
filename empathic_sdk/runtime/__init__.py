"""Where shipped files lie, how weights are loaded, how calls are batched."""
