"""Simulated people: at a keyboard, over days, correcting the agent."""
