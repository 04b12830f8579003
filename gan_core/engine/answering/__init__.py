"""The process that answers what visitors of a run ask by their recipes: its loop, and the server's side of it."""
