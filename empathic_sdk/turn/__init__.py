"""The turn engine, which the agent and every integration run."""
