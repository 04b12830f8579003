"""Runs that train on a Ray cluster, as the server sees them."""
