"""Safety: risk patterns, detector, risk model, decision, protocol and output guard."""
