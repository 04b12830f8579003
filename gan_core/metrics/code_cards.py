"""What the columns of the ``diagnostics`` track mean of games with an encoder: `CODE_METRICS`, part of `METRICS`."""

from __future__ import annotations

from math import inf

from gan_core.about import About
from gan_core.metrics.metric import Metric

_DONAHUE = "Donahue et al., Adversarial Feature Learning"
_PIXELS = "Measured for GANscope: held-out digits and their reconstructions"

CODE_METRICS: dict[str, Metric] = {
    "rec_error": Metric(
        About(
            title="Reconstruction error",
            paper="Baldi & Hornik, Neural Networks and Principal Component Analysis",
            year=1989,
            formula=r"\mathbb{E}\,\tfrac{1}{d}\,\lVert x - \hat x \rVert^2",
            idea="Mean squared error of a number of held-out x, a pixel from 0 to 1; points in data units.",
            watch_for="Above that of as many principal components the code is worse than the best linear one; at that of the "
            "mean nothing of x is kept.",
            url="https://doi.org/10.1016/0893-6080(89)90014-2",
        ),
        unit="squared",
        better="lower",
        of="code",
    ),
    "rec_ratio": Metric(
        About(
            title="Error over that of another x",
            paper=_DONAHUE,
            year=2017,
            formula=r"\sqrt{\mathbb{E}\lVert x - \hat x \rVert^2 / \mathbb{E}\lVert x' - \hat x \rVert^2}",
            idea="The error of a reconstruction as its own x, over its error as another x, x′.",
            watch_for="1: reconstructions do not depend on x, however good they look.",
            url="https://arxiv.org/abs/1605.09782",
        ),
        unit="ratio",
        better="lower",
        of="code",
    ),
    "rec_gap": Metric(
        About(
            title="Held-out over training error",
            paper="Geman et al., Neural Networks and the Bias/Variance Dilemma",
            year=1992,
            formula=r"\mathbb{E}_{\text{held}}\lVert x - \hat x \rVert^2 / \mathbb{E}_{\text{train}}\lVert x - \hat x \rVert^2",
            idea="The reconstruction error of held-out samples over that of samples that it was trained on.",
            watch_for="Above 1 and rising: the code learns the training samples by heart.",
            url="https://doi.org/10.1162/neco.1992.4.1.1",
        ),
        unit="ratio",
        better="lower",
        of="code",
    ),
    "class_kept": Metric(
        About(
            title="Class kept",
            paper="Dumoulin et al., Adversarially Learned Inference",
            year=2017,
            formula=r"\Pr[\arg\max_k p(k \mid \hat x) = \arg\max_k p(k \mid x)]",
            idea="Share of held-out samples whose reconstruction the frozen classifier surely sees in the class that it sees x "
            "in; of points, that lie nearest to the mode of x and within 3 standard deviations of it.",
            watch_for="Low beside a small error: what is lost is what tells the classes apart. High beside a large error: the "
            "content is right, the pixels are not.",
            url="https://arxiv.org/abs/1606.00704",
        ),
        unit="share",
        better="higher",
        of="code",
        bounds=(0.0, 1.0),
    ),
    "grey_share": Metric(
        About(
            title="Grey pixels of reconstructions",
            paper=_PIXELS,
            year=2026,
            formula=r"\Pr[\tfrac14 < \hat x_i < \tfrac34]",
            idea="Share of pixels that are neither black nor white: where the code leaves a pixel open, the squared error is "
            "least at its mean.",
            watch_for="Two or three times that of real images is blur. Blind to strokes that are shifted or missing.",
        ),
        unit="share",
        better="closer",
        of="code",
        bounds=(0.0, 1.0),
    ),
    "laplacian_variance": Metric(
        About(
            title="Sharpness of reconstructions",
            paper="Pech-Pacheco et al., Diatom Autofocusing in Brightfield Microscopy",
            year=2000,
            formula=r"\operatorname{Var}(\Delta \hat x)",
            idea="Variance of the Laplacian over the pixels: edges.",
            watch_for="A quarter of that of real images is blur; checkerboards and noise read above it.",
            url="https://doi.org/10.1109/ICPR.2000.903548",
        ),
        unit="squared pixels",
        better="closer",
        of="code",
    ),
    "code_mmd2": Metric(
        About(
            title="Code against the prior, squared MMD",
            paper="Tolstikhin et al., Wasserstein Auto-Encoders",
            year=2018,
            formula=r"\mathrm{MMD}^2(q(z), p(z)),\quad k(a, b) = \sum_s \frac{C_s}{C_s + \lVert a - b \rVert^2}",
            idea="Distance of the codes of held-out samples from draws of the prior, with an inverse multiquadratic kernel.",
            watch_for="Far above that of two draws of the prior: what is decoded from the prior lies where no code is. A shift "
            "by half a standard deviation reads about .13, half the width .36. May be below 0.",
            url="https://arxiv.org/abs/1711.01558",
        ),
        unit="kernel units",
        better="lower",
        of="code",
        bounds=(-inf, 14.0),
        floor_of="two draws of the prior",
    ),
    "code_variance_least": Metric(
        About(
            title="Least variance of a code's dimension",
            paper=_DONAHUE,
            year=2017,
            formula=r"\min_j \operatorname{Var}(z_j)",
            idea="The variance of the dimension in which codes of held-out samples vary least.",
            watch_for="Near 0: a dimension that holds nothing, and that the prior has.",
            url="https://arxiv.org/abs/1605.09782",
        ),
        unit="squared code units",
        better="closer",
        of="code",
        floor_of="the prior",
    ),
    "code_variance_most": Metric(
        About(
            title="Largest variance of a code's dimension",
            paper=_DONAHUE,
            year=2017,
            formula=r"\max_j \operatorname{Var}(z_j)",
            idea="The variance of the dimension in which codes of held-out samples vary most.",
            watch_for="Far above that of the prior: codes lie where the prior never draws.",
            url="https://arxiv.org/abs/1605.09782",
        ),
        unit="squared code units",
        better="closer",
        of="code",
        floor_of="the prior",
    ),
    "knn_accuracy": Metric(
        About(
            title="5-NN of the code",
            paper=_DONAHUE,
            year=2017,
            formula=r"\Pr[\operatorname{vote}_5(E(x)) = y]",
            idea="Share of held-out samples whose 5 nearest codes of training samples are mostly of their class.",
            watch_for="Read it beside that of the raw numbers of x and of the untrained encoder: both are high on digits.",
            url="https://arxiv.org/abs/1605.09782",
        ),
        unit="share",
        better="higher",
        of="code",
        bounds=(0.0, 1.0),
    ),
    "linear_accuracy": Metric(
        About(
            title="Linear probe of the code",
            paper="Alain & Bengio, Understanding Intermediate Layers Using Linear Classifier Probes",
            year=2016,
            formula=r"\Pr[\arg\max_k (W E(x) + b)_k = y]",
            idea="Share of held-out samples that a ridge regression of the classes on the code gets right.",
            watch_for="Read it beside that of the raw numbers of x and of the untrained encoder.",
            url="https://arxiv.org/abs/1610.01644",
        ),
        unit="share",
        better="higher",
        of="code",
        bounds=(0.0, 1.0),
    ),
    "code_correlation": Metric(
        About(
            title="E(G(z)) against z",
            paper=_DONAHUE,
            year=2017,
            formula=r"\tfrac{1}{q} \sum_j \operatorname{corr}(z_j, E(G(z))_j)",
            idea="Whether the encoder finds the code that a sample was made of: the mean correlation over the dimensions.",
            watch_for="Near 0 while samples look fine: encoder and generator do not belong together.",
            url="https://arxiv.org/abs/1605.09782",
        ),
        unit="correlation",
        better="higher",
        of="code",
        bounds=(-1.0, 1.0),
    ),
    "active_dimensions": Metric(
        About(
            title="Dimensions in use",
            paper="Burda et al., Importance Weighted Autoencoders",
            year=2016,
            formula=r"\#\{j : \mathbb{E}_x \mathrm{KL}(q(z_j \mid x) \,\Vert\, p(z_j)) > 0.1\}",
            idea="How many dimensions of the code tell the decoder more than a tenth of a nat about a held-out sample.",
            watch_for="0 is posterior collapse: every reconstruction is the same.",
            url="https://arxiv.org/abs/1509.00519",
        ),
        unit="dimensions",
        better="higher",
        of="code",
    ),
}
"""In the order in which the page shows them."""
