"""The command ``empathic``: a thin layer over the public API, one file per command group."""

from empathic_sdk.cli.main import main

__all__ = ["main"]
