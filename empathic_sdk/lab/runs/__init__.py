"""Runs: train, choose on dev, calibrate, test, record."""
