"""Studies: what a GAN is good for, measured by a protocol with arms, sizes and seeds."""
