"""What viewers see of a run: from the messages of its job to the store, the live view and its verdict."""
