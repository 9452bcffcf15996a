"""Longitudinal monitoring: change over days and weeks, and alerts."""
