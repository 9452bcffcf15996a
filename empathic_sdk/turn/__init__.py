"""The turn engine: what every door to the SDK runs."""
