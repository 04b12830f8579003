"""Drawing for a stored run: what its G makes of a drawing, and what its D says of it."""
