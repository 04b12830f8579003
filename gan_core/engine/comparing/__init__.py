"""Comparisons: what their runs are, who is ahead, how curves are smoothed and placed."""
