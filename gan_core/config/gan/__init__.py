"""What the settings of a GAN are put together from: objectives, tricks, recipes that fail, what cures and what causes that."""
