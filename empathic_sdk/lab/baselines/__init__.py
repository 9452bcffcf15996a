"""Dialogue models that MDGET is compared with."""
