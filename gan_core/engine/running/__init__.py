"""Where jobs run, in what order, and what a job does: executors, processes, lock-step, the runner."""
