"""What the columns of ``diagnostics`` mean of games from picture to picture: `TRANSLATION_METRICS`, part of `METRICS`."""

from __future__ import annotations

from math import inf

from gan_core.about import About
from gan_core.metrics.metric import Metric

_ISOLA = "Isola et al., Image-to-Image Translation with Conditional Adversarial Networks"
_ZHANG = "Zhang, Isola, Efros, Colorful Image Colorization"
_BASELINE = "Beside it stand the input as it is, the mean target, and the target of the nearest training input."

TRANSLATION_METRICS: dict[str, Metric] = {
    "absolute_error": Metric(
        About(
            title="Absolute error of outputs",
            paper=_ISOLA,
            year=2017,
            formula=r"\mathbb{E}\,\tfrac{1}{d}\,\lVert b - G(a) \rVert_1",
            idea=f"Mean absolute error of a pixel from 0 to 1, of held-out outputs and their targets. {_BASELINE}",
            watch_for="What fades out pixels that it is not sure of wins here: of many answers the median costs least.",
            url="https://arxiv.org/abs/1611.07004",
        ),
        unit="of a pixel",
        better="lower",
        bounds=(0.0, 1.0),
        of="pairs",
    ),
    "pair_ratio": Metric(
        About(
            title="Error over that of another target",
            paper=_ISOLA,
            year=2017,
            formula=r"\frac{\mathbb{E}\lVert b - G(a) \rVert_1}{\mathbb{E}\lVert b' - G(a) \rVert_1}",
            idea="The absolute error of held-out outputs over that to targets of other pairs, which have nothing to do with "
            f"their inputs; of the whole picture, or of what was added to the input, whichever is more. {_BASELINE}",
            watch_for="At 1 the output says nothing of its input: D was fooled by any picture, or all outputs are alike.",
            url="https://arxiv.org/abs/1611.07004",
        ),
        unit="ratio",
        better="lower",
        of="pairs",
    ),
    "open_edges": Metric(
        About(
            title="Edges where the input is silent",
            paper="Pech-Pacheco et al., Diatom Autofocusing in Brightfield Microscopy",
            year=2000,
            formula=r"\frac{\sum_{i \in S}(\Delta G(a))_i^2}{\sum_{i \in S}(\Delta b)_i^2},\quad"
            r" S = \{i : |a_i - b_i| > \tfrac14\}",
            idea="Squared Laplacian of held-out outputs over that of their targets, at the pixels that the input does not tell "
            f"and those around. {_BASELINE}",
            watch_for="A half and less is blur: the middle of several answers. Strokes of a wrong answer have edges too.",
            url="https://doi.org/10.1109/ICPR.2000.903548",
        ),
        unit="ratio",
        better="closer",
        floor_of="the target",
        of="pairs",
    ),
    "psnr": Metric(
        About(
            title="PSNR of outputs",
            paper="Huynh-Thu & Ghanbari, Scope of Validity of PSNR in Image/Video Quality Assessment",
            year=2008,
            formula=r"\mathbb{E}\,\bigl[-10 \log_{10} \mathrm{MSE}(b, G(a))\bigr]",
            idea=f"Peak signal-to-noise ratio in dB, the mean over held-out pictures whose pixels are 0 to 1. {_BASELINE}",
            watch_for="It counts pixels: a sharp digit that is moved by one pixel reads less than a blur in the right place.",
            url="https://doi.org/10.1049/el:20080522",
        ),
        unit="dB",
        better="higher",
        bounds=(-inf, 100.0),
        of="pairs",
    ),
    "ssim": Metric(
        About(
            title="SSIM of outputs",
            paper="Wang et al., Image Quality Assessment: From Error Visibility to Structural Similarity",
            year=2004,
            formula=r"\frac{(2\mu_b\mu_o + c_1)(2\sigma_{bo} + c_2)}{(\mu_b^2 + \mu_o^2 + c_1)(\sigma_b^2 + \sigma_o^2 + c_2)}",
            idea="Mean over Gaussian windows of 11 pixels of how alike mean, spread and pattern of output and target are; 1 is "
            "equal. Pixels are 0 to 1.",
            watch_for="Black background is alike everywhere and lifts it, so read it beside the baselines alone.",
            url="https://doi.org/10.1109/TIP.2003.819861",
        ),
        unit="similarity",
        better="higher",
        bounds=(-1.0, 1.0),
        of="pairs",
    ),
    "target_class": Metric(
        About(
            title="Class of the target kept",
            paper=_ISOLA,
            year=2017,
            formula=r"\Pr[\arg\max_k p(k \mid G(a)) = y_b]",
            idea="Share of held-out outputs that the frozen classifier reads as the class of their target, sure of it or not. "
            "The input as it is and the nearest training picture are read in the same way.",
            watch_for="Below the nearest training picture: looking up would have done better. A sharp output of another class "
            "is the error that nobody sees who has no target.",
            url="https://arxiv.org/abs/1611.07004",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
        of="pairs",
    ),
    "target_frechet": Metric(
        About(
            title="Fréchet distance of outputs to targets",
            paper="Blau & Michaeli, The Perception-Distortion Tradeoff",
            year=2018,
            formula=r"\lVert \mu_b - \mu_{G(a)} \rVert_2^2 + \mathrm{Tr}\bigl(\Sigma_b + \Sigma_{G(a)} - 2(\Sigma_b"
            r" \Sigma_{G(a)})^{1/2}\bigr)",
            idea="How far the outputs as a set look from their own targets, in the features of the frozen classifier: 0 where "
            "each output is its target, as sharp outputs of other digits nearly are too.",
            watch_for="Read it beside the error: what falls there by averaging rises here. Copies of training pictures win.",
            url="https://arxiv.org/abs/1711.06077",
        ),
        unit="distance",
        better="lower",
        bounds=(0.0, inf),
        of="pairs",
    ),
    "consistency": Metric(
        About(
            title="Distance of a shrunk output from its input",
            paper="Sønderby et al., Amortised MAP Inference for Image Super-resolution",
            year=2017,
            formula=r"\mathbb{E}\,\tfrac{1}{d}\,\lVert d_s(G(a)) - d_s(a) \rVert_1",
            idea="Mean absolute error of a pixel from 0 to 1 of held-out outputs, shrunk to the size of their inputs, and "
            "these. A mosaic itself, the nearest enlargement, reads 0.",
            watch_for="What does not shrink back to its input has been invented, however sharp it is.",
            url="https://arxiv.org/abs/1610.04490",
        ),
        unit="of a pixel",
        better="lower",
        bounds=(0.0, 1.0),
        of="pairs",
    ),
    "ink_brightness": Metric(
        About(
            title="Brightness on the ink",
            paper=_ZHANG,
            year=2016,
            formula=r"\mathbb{E}_{\text{ink}}\, \max_c G(a)_c",
            idea="How light, from 0 to 1, the lightest channel of outputs is where the target is lighter than the middle. The "
            "targets themselves stand beside it.",
            watch_for="Near 0 the digit is gone: the absolute error is least at the median of each channel, which is black "
            "where three hues are as likely. The squared error gives a grey of a third.",
            url="https://arxiv.org/abs/1603.08511",
        ),
        unit="of a pixel",
        better="higher",
        bounds=(0.0, 1.0),
        of="pairs",
    ),
    "ink_saturation": Metric(
        About(
            title="Saturation on the ink",
            paper=_ZHANG,
            year=2016,
            formula=r"\mathbb{E}_{\text{ink}}\, \bigl(1 - \tfrac{\min_c G(a)_c}{\max_c G(a)_c}\bigr)",
            idea="Saturation in HSV of outputs where the target is lighter than the middle: 0 of a grey and of black, 1 of a "
            "pure colour. The targets themselves stand beside it.",
            watch_for="It says nothing of the right hue, which no input tells: a G without noise takes one from the shape.",
            url="https://arxiv.org/abs/1603.08511",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
        of="pairs",
    ),
}
