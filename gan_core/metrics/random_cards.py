"""The columns of the ``diagnostics`` track that need no labels: distances in the features of `random_features`."""

from __future__ import annotations

from gan_core.about import About
from gan_core.metrics.metric import Metric

EXTRACTOR = "18c342"
"""The hash of the extractor, part of each name: numbers of another extractor are other numbers."""

_SPACE = f"random features {EXTRACTOR}"

RANDOM_METRICS: dict[str, Metric] = {
    "frechet_random_18c342": Metric(
        About(
            title=f"Fréchet distance of {_SPACE}",
            paper="Dowson & Landau, The Fréchet Distance between Multivariate Normal Distributions",
            year=1982,
            formula=r"\lVert \mu_1 - \mu_2 \rVert^2 + \mathrm{tr}(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2}),\quad "
            r"\mathrm{floor} = \tfrac{2d}{n} + \tfrac{d(d+1)}{2n}",
            idea="Distance of two Gaussians in whitened features of a network with fixed random weights, for pictures without "
            "classes. Its floor is what two honest sets of the same size read. Not the FID.",
            watch_for="Compare at one size and within one extractor only. It sees contrast and blur sooner than shapes; a "
            "distance below its floor may be a copy.",
            url="https://doi.org/10.1016/0047-259X(82)90077-X",
        ),
        unit="squared features",
        better="lower",
        floor_of="two real sets of that size",
    ),
    "precision_random_18c342": Metric(
        About(
            title=f"Precision in {_SPACE}",
            paper="Kynkäänniemi et al., Improved Precision and Recall",
            year=2019,
            formula=r"\Pr_{\hat x}[\exists j : \lVert \hat x - x_j \rVert \le r_k(x_j)]",
            idea="Share of generated pictures that lie among real ones, in features of a network with fixed random weights.",
            watch_for="It stays at 1 in a sharp collapse, while recall goes to 0: read them together.",
            url="https://arxiv.org/abs/1904.06991",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "recall_random_18c342": Metric(
        About(
            title=f"Recall in {_SPACE}",
            paper="Kynkäänniemi et al., Improved Precision and Recall",
            year=2019,
            formula=r"\Pr_x[\exists i : \lVert x - \hat x_i \rVert \le r_k(\hat x_i)]",
            idea="Share of real pictures that lie among generated ones, in features of a network with fixed random weights.",
            watch_for="Near 0 in a collapse. Below a hundred pictures it moves by chance; coverage moves less.",
            url="https://arxiv.org/abs/1904.06991",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "coverage_random_18c342": Metric(
        About(
            title=f"Coverage in {_SPACE}",
            paper="Naeem et al., Reliable Fidelity and Diversity Metrics",
            year=2020,
            formula=r"\Pr_x[\exists i : \lVert \hat x_i - x \rVert \le r_k(x)]",
            idea="Share of real pictures that have a generated one in their neighbourhood, in features of a network with fixed "
            "random weights.",
            watch_for="Real data reads .97. It falls where kinds of pictures are missing, and where samples are blurred.",
            url="https://arxiv.org/abs/2002.09797",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
}

FRECHET, PRECISION, RECALL, COVERAGE = RANDOM_METRICS
