"""The command ``empathic``: a thin skin over the public API, one file a command group."""

from empathic_sdk.cli.main import main

__all__ = ["main"]
