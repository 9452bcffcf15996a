"""``python -m empathic_sdk.cli``."""

from empathic_sdk.cli.main import main

main()
