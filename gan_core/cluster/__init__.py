"""What of GANscope lives on a Ray cluster: the bridge of a server, and the runs on nodes. No torch; the server has no Ray."""
