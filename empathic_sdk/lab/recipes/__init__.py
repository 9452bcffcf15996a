"""Recipes: the numbers, networks and batches of each training."""
