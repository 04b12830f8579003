"""Walking through a latent space: what z is, one step at a time, for any game that makes samples of it."""
