"""Protocols, metrics, reports, bench. The runtime never imports this room."""
