"""The settings that only one game has: values, no torch."""
