"""A cluster of two nodes on this machine for all tests of this folder, which only `make test-ray` collects."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ray_cluster import LocalCluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[LocalCluster]:
    """Two nodes of eight CPUs, as far as Ray is told."""
    with LocalCluster(2, cpus=8) as started:
        os.environ |= started.environment
        yield started
