"""Metrics: pure functions from samples to numbers, and `METRICS`, what each column of the ``diagnostics`` track means.

NumPy in, numbers out, in float64; real samples first. Each function documents its *floor*, what it reads when both
sets are real: no finite sample reads the ideal value, so a chart draws the floor beside the curve. The functions are in
`histograms`, `modes`, `divergences`, `distances`, `moments`, `neighbors`, `diversity`, `matching` and, of games with an
encoder, `codes`.
"""

from __future__ import annotations

from math import inf

from gan_core.about import About
from gan_core.metrics.code_cards import CODE_METRICS
from gan_core.metrics.cycle_cards import CYCLE_METRICS
from gan_core.metrics.few_cards import FEW_METRICS
from gan_core.metrics.metric import Metric
from gan_core.metrics.pyramid_cards import PYRAMID_METRICS
from gan_core.metrics.random_cards import RANDOM_METRICS
from gan_core.metrics.sharpness_cards import SHARPNESS
from gan_core.metrics.translation_cards import TRANSLATION_METRICS

# In the order in which the page shows them: first what sees a collapse, then quality, then distances.
METRICS: dict[str, Metric] = {
    "modes_covered": Metric(
        About(
            title="Modes",
            paper="Srivastava et al., VEEGAN",
            year=2017,
            formula=r"\#\{k : n_k \ge 0.01\, n\}",
            idea="How many classes, or modes of a mixture, hold at least 1 % of the generated samples: what a page counts.",
            watch_for="A fall from its own maximum is mode collapse as it begins; real data covers all of them.",
            url="https://arxiv.org/abs/1705.07761",
        ),
        unit="modes",
        better="higher",
    ),
    "modes_captured": Metric(
        About(
            title="Captured modes",
            paper="Srivastava et al., VEEGAN",
            year=2017,
            formula=r"\#\{k : \exists i,\ \lVert x_i - \mu_k \rVert \le 3\sigma\}",
            idea="How many modes are the nearest to at least one sample within 3 standard deviations.",
            watch_for="The number in the papers' tables; one lucky point captures a mode, so see the modes too.",
            url="https://arxiv.org/abs/1705.07761",
        ),
        unit="modes",
        better="higher",
    ),
    "effective_modes": Metric(
        About(
            title="Effective modes",
            paper="Hill, Diversity and Evenness",
            year=1973,
            formula=r"e^{H},\quad H = -\sum_k q_k \log q_k",
            idea="The number of equally likely classes that would have the same entropy as the generated mix.",
            watch_for="It sinks gradually while a few classes take over, before the first mode is lost.",
            url="https://doi.org/10.2307/1934352",
        ),
        unit="modes",
        better="closer",
    ),
    "entropy": Metric(
        About(
            title="Entropy of the class mix",
            paper="Shannon, A Mathematical Theory of Communication",
            year=1948,
            formula=r"H = -\sum_k q_k \log q_k",
            idea="How evenly the generated samples spread over the classes.",
            watch_for="Zero is one class; the logarithm of the number of classes is an even mix.",
            url="https://doi.org/10.1002/j.1538-7305.1948.tb01338.x",
        ),
        unit="nats",
        better="closer",
    ),
    "kl_to_real": Metric(
        About(
            title="KL divergence to the real class mix",
            paper="Lin et al., PacGAN",
            year=2018,
            formula=r"\mathrm{KL}(q \,\Vert\, p) = \sum_k q_k \log \frac{q_k}{p_k}",
            idea="How far the mix of generated classes q is from the real mix p; the papers' “reverse KL”.",
            watch_for="A collapse onto one of K equal classes reads log K (2.30 for digits); real data (K − 1) / 2n.",
            url="https://arxiv.org/abs/1712.04086",
        ),
        unit="nats",
        better="lower",
    ),
    "js_to_real": Metric(
        About(
            title="Jensen–Shannon divergence to the real class mix",
            paper="Lin, Divergence Measures Based on the Shannon Entropy",
            year=1991,
            formula=r"\tfrac12 \mathrm{KL}(q \Vert m) + \tfrac12 \mathrm{KL}(p \Vert m),\quad m = \tfrac12 (p + q)",
            idea="The symmetric, bounded relative of KL, so that different data sets share one scale.",
            watch_for="It reaches log 2 = 0.69 only when no generated class is a real one.",
            url="https://doi.org/10.1109/18.61115",
        ),
        unit="nats",
        better="lower",
        bounds=(0.0, 0.6931471805599453),
    ),
    "label_accuracy": Metric(
        About(
            title="Label accuracy",
            paper="Odena, Olah, Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, section 4.2",
            year=2017,
            formula=r"\Pr[\arg\max_k p(k \mid G(z, y)) = y]",
            idea="Share of samples in which the frozen classifier sees the class that a conditional generator was asked for.",
            watch_for="One in K while G ignores y. Real images read the classifier's own accuracy. High with little variety "
            "inside a class is a collapse that this number does not see.",
            url="https://arxiv.org/abs/1610.09585",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "never_shown_accuracy": Metric(
        About(
            title="Label accuracy, never shown",
            paper="Lake & Baroni, Generalization without Systematicity",
            year=2018,
            formula=r"\Pr[\arg\max_k p(k \mid G(z, y)) = y \mid y \notin \mathrm{training}]",
            idea="The same for the labels that are kept from training and asked of G all the same; the label accuracy is that "
            "of the others. All parts of a label have to be right.",
            watch_for="Near one in K where labels are names: of one that was never shown nothing was learned. Near the label "
            "accuracy where G is told the parts, each of which was shown.",
            url="https://arxiv.org/abs/1711.00350",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "code_agreement": Metric(
        About(
            title="Code and class of samples",
            paper="Kuhn, The Hungarian Method for the Assignment Problem",
            year=1955,
            formula=r"\max_\pi \Pr[\mathrm{class}(G(z, c)) = \pi(c)]",
            idea="Share of samples that are of the class of their code, where each code is named by a class of its own in the "
            "best way. A sample of no class is wrong.",
            watch_for="It may stay near chance while L_I is at its ceiling: Q reads the code, but the code is no class.",
            url="https://doi.org/10.1002/nav.3800020109",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "code_of_real": Metric(
        About(
            title="Code and class of real data",
            paper="Chen et al., InfoGAN, section 7.2",
            year=2016,
            formula=r"\max_\pi \Pr[y = \pi(\arg\max_k Q(k \mid x))]",
            idea="Share of held-out samples that are of the class of the code which Q reads off them, under the best naming. "
            "Where an encoder is held to a prior of several parts, the code is the part in which a sample is encoded.",
            watch_for="Chance and k-means stand beside it: a classifier worth its name is above both.",
            url="https://arxiv.org/abs/1606.03657",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "code_by_chance": Metric(
        About(
            title="Code and class by chance",
            paper="Measured for GANscope: codes dealt anew among the samples",
            year=2026,
            formula=r"\mathbb{E}_\sigma \max_\pi \Pr[\mathrm{class}(x_i) = \pi(c_{\sigma(i)})]",
            idea="What the agreement with samples reads where codes are dealt to them at random: above 1 in K, since the "
            "naming is chosen afterwards.",
            watch_for="Where few classes are generated it rises: any code agrees with the only class there is.",
        ),
        unit="share",
        better="closer",
        bounds=(0.0, 1.0),
    ),
    "kmeans_of_real": Metric(
        About(
            title="k-means and class of real data",
            paper="Lloyd, Least Squares Quantization in PCM",
            year=1982,
            formula=r"\max_\pi \Pr[y = \pi(\arg\min_k \lVert x - m_k \rVert)]",
            idea="The same share for the nearest of K means of the training data: what can be had without any network.",
            watch_for="The same at every measurement, since it knows nothing of the run.",
            url="https://doi.org/10.1109/TIT.1982.1056489",
        ),
        unit="share",
        better="closer",
        bounds=(0.0, 1.0),
    ),
    "unsure_share": Metric(
        About(
            title="Unsure",
            paper="Hendrycks et al., Deep Anomaly Detection with Outlier Exposure",
            year=2019,
            formula=r"\Pr[\max_k p(k \mid x) < 0.6]",
            idea="Share of generated images that the classifier cannot place in any class.",
            watch_for="Close to 1 at the start, when G draws noise; until it falls the class histogram means little.",
            url="https://arxiv.org/abs/1812.04606",
        ),
        unit="share",
        better="lower",
        bounds=(0.0, 1.0),
    ),
    "high_quality_share": Metric(
        About(
            title="High-quality samples",
            paper="Srivastava et al., VEEGAN",
            year=2017,
            formula=r"\Pr[\min_k \lVert x - \mu_k \rVert \le 3\sigma]",
            idea="Share of the points within 3 standard deviations of a mode.",
            watch_for="Real data reads .989 on a plane. High with few modes is a sharp collapse.",
            url="https://arxiv.org/abs/1705.07761",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "std_ratio": Metric(
        About(
            title="Spread, generated over real",
            paper="Measured for GANscope: 384 snapshots of a ring of 8",
            year=2026,
            formula=r"\sqrt{\operatorname{tr} \Sigma_{\text{fake}} / \operatorname{tr} \Sigma_{\text{real}}}",
            idea="The spread of the generated samples in units of the real spread: the cheapest alarm for a collapse.",
            watch_for="Below .75 the generator has narrowed. Blind to a collapse onto two opposite modes.",
        ),
        unit="ratio",
        better="closer",
    ),
    "vendi_score": Metric(
        About(
            title="Vendi score",
            paper="Friedman & Dieng, The Vendi Score",
            year=2023,
            formula=r"\exp\left(-\sum_i \lambda_i \log \lambda_i\right),\quad \lambda_i \text{ eigenvalues of } K / n",
            idea="The effective number of different samples, without labels.",
            watch_for="Below three quarters of the real value is a collapse; above it the samples may be blurred.",
            url="https://arxiv.org/abs/2210.02410",
        ),
        unit="samples",
        better="closer",
        bounds=(1.0, inf),
    ),
    "class_diversity": Metric(
        About(
            title="Diversity inside the classes",
            paper="Measured for GANscope: after intra-class collapse in Odena et al., AC-GAN",
            year=2026,
            formula=r"\frac{1}{K'} \sum_k \sqrt{\operatorname{tr} \Sigma_k^{\text{fake}}"
            r" / \operatorname{tr} \Sigma_k^{\text{real}}}",
            idea="The spread of the samples inside each class, generated over real, averaged over the classes generated.",
            watch_for="Near 0 with all classes present: ten digits, but one picture of each.",
        ),
        unit="ratio",
        better="closer",
    ),
    "largest_share": Metric(
        About(
            title="Share of the fullest mode",
            paper="Berger & Parker, Diversity of Planktonic Foraminifera",
            year=1970,
            formula=r"\max_k q_k",
            idea="How much of what is generated falls into the one mode that holds most of it.",
            watch_for="Above one half while the fullest mode changes from look to look: the generator hops between modes.",
            url="https://doi.org/10.1126/science.168.3937.1345",
        ),
        unit="share",
        better="closer",
        bounds=(0.0, 1.0),
    ),
    "classifier_score": Metric(
        About(
            title="Classifier score",
            paper="Salimans et al., Improved Techniques for Training GANs",
            year=2016,
            formula=r"\exp \mathbb{E}_x\, \mathrm{KL}(p(y \mid x) \,\Vert\, p(y))",
            idea="High when every sample is surely of one class and all classes occur. Not the Inception score.",
            watch_for="1 is a collapse onto one class, or images that tell the classifier nothing.",
            url="https://arxiv.org/abs/1606.03498",
        ),
        unit="classes",
        better="higher",
        bounds=(1.0, inf),
    ),
    "frechet_distance": Metric(
        About(
            title="Fréchet distance of classifier features",
            paper="Heusel et al., GANs Trained by a Two Time-Scale Update Rule",
            year=2017,
            formula=r"\lVert \mu_1 - \mu_2 \rVert^2 + \mathrm{tr}(\Sigma_1 + \Sigma_2 - 2 (\Sigma_1 \Sigma_2)^{1/2})",
            idea="Distance of two Gaussians fitted to the classifier's 64 features. Not the FID.",
            watch_for="Compare within one data set and one sample size only: it is biased upwards for few samples.",
            url="https://arxiv.org/abs/1706.08500",
        ),
        unit="squared features",
        better="lower",
    ),
    "precision": Metric(
        About(
            title="Precision",
            paper="Kynkäänniemi et al., Improved Precision and Recall",
            year=2019,
            formula=r"\Pr_{\hat x}[\exists j : \lVert \hat x - x_j \rVert \le r_k(x_j)]",
            idea="Share of generated samples that lie among the real ones.",
            watch_for="It stays at 1 in a sharp collapse, while recall goes to 0: one number is not enough.",
            url="https://arxiv.org/abs/1904.06991",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "recall": Metric(
        About(
            title="Recall",
            paper="Kynkäänniemi et al., Improved Precision and Recall",
            year=2019,
            formula=r"\Pr_x[\exists i : \lVert x - \hat x_i \rVert \le r_k(\hat x_i)]",
            idea="Share of real samples that lie among the generated ones.",
            watch_for="Near 0 in a collapse; scattered garbage inflates it.",
            url="https://arxiv.org/abs/1904.06991",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "density": Metric(
        About(
            title="Density",
            paper="Naeem et al., Reliable Fidelity and Diversity Metrics",
            year=2020,
            formula=r"\frac{1}{kM} \sum_i \#\{j : \lVert \hat x_i - x_j \rVert \le r_k(x_j)\}",
            idea="In how many real neighbourhoods a generated sample lies, relative to a real one.",
            watch_for="Real data reads 1. Above 1 the generator keeps to the crowded places.",
            url="https://arxiv.org/abs/2002.09797",
        ),
        unit="ratio",
        better="closer",
    ),
    "coverage": Metric(
        About(
            title="Coverage",
            paper="Naeem et al., Reliable Fidelity and Diversity Metrics",
            year=2020,
            formula=r"\Pr_x[\exists i : \lVert \hat x_i - x \rVert \le r_k(x)]",
            idea="Share of real samples that have a generated one in their neighbourhood.",
            watch_for="Real data reads .97. It falls when samples are merely blurred, so read it beside precision.",
            url="https://arxiv.org/abs/2002.09797",
        ),
        unit="share",
        better="higher",
        bounds=(0.0, 1.0),
    ),
    "mean": Metric(
        About(
            title="Mean",
            paper="Pearson, Contributions to the Mathematical Theory of Evolution",
            year=1894,
            formula=r"\mu = \mathbb{E}\,x",
            idea="Where the generated points of a line lie on average: what G learns first.",
            watch_for="G overshoots and comes back, as a pendulum does, before it settles on the real mean.",
            url="https://doi.org/10.1098/rsta.1894.0003",
        ),
        unit="data units",
        better="closer",
        bounds=(-inf, inf),
    ),
    "std": Metric(
        About(
            title="Standard deviation",
            paper="Pearson, Contributions to the Mathematical Theory of Evolution",
            year=1894,
            formula=r"\sigma = \sqrt{\mathbb{E}\,(x - \mu)^2}",
            idea="How wide the generated points of a line are spread.",
            watch_for="Well below the real one is a mode collapse in miniature: G keeps to the safe middle.",
            url="https://doi.org/10.1098/rsta.1894.0003",
        ),
        unit="data units",
        better="closer",
    ),
    "skew": Metric(
        About(
            title="Skewness",
            paper="Pearson, Contributions to the Mathematical Theory of Evolution",
            year=1895,
            formula=r"\mathbb{E}\left(\frac{x-\mu}{\sigma}\right)^3",
            idea="Whether the generated points lean to one side: 0 for a symmetric density, negative with a long left tail.",
            watch_for="A small G bends a uniform z only roughly, so it stays a little off 0 when mean and spread are right.",
            url="https://doi.org/10.1098/rsta.1895.0010",
        ),
        unit="standardised",
        better="closer",
        bounds=(-inf, inf),
    ),
    "kurtosis": Metric(
        About(
            title="Excess kurtosis",
            paper="Pearson, Das Fehlergesetz und seine Verallgemeinerungen durch Fechner und Pearson: A Rejoinder",
            year=1905,
            formula=r"\mathbb{E}\left(\frac{x-\mu}{\sigma}\right)^4 - 3",
            idea="How heavy the tails are: 0 for a Gaussian, −1.2 for a uniform density, −2 for two points.",
            watch_for="A G that only stretches a uniform z stands at −1.2; to come near 0 it must bend it.",
            url="https://doi.org/10.1093/biomet/4.1-2.169",
        ),
        unit="standardised",
        better="closer",
        bounds=(-2.0, inf),
    ),
    "wasserstein": Metric(
        About(
            title="Wasserstein-1 distance",
            paper="Arjovsky et al., Wasserstein GAN",
            year=2017,
            formula=r"\int \lvert F(x) - \hat F(x) \rvert \, dx",
            idea="How far samples of the line must move to become the real ones; exact, by sorting.",
            watch_for="The curve that the critic of a WGAN tries to estimate.",
            url="https://arxiv.org/abs/1701.07875",
        ),
        unit="data units",
        better="lower",
    ),
    "sliced_wasserstein": Metric(
        About(
            title="Sliced Wasserstein distance",
            paper="Bonneel et al., Sliced and Radon Wasserstein Barycenters",
            year=2015,
            formula=r"\mathbb{E}_{u \sim S^{d-1}} W_1(\langle u, x \rangle, \langle u, \hat x \rangle)",
            idea="The exact distance on a line, averaged over 50 random directions.",
            watch_for="One of the best alarms for a collapse on a plane; it needs neither labels nor modes.",
            url="https://doi.org/10.1007/s10851-014-0506-3",
        ),
        unit="data units; of tables that were brought, the standard deviation of each axis",
        better="lower",
    ),
    "mmd2": Metric(
        About(
            title="Squared MMD",
            paper="Gretton et al., A Kernel Two-Sample Test",
            year=2012,
            formula=r"\mathbb{E}\,k(x, x') + \mathbb{E}\,k(\hat x, \hat x') - 2\, \mathbb{E}\,k(x, \hat x)",
            idea="Distance of the mean embeddings under a Gaussian kernel.",
            watch_for="Its floor on two real sets of n is below 2 / n; nine times the healthy value is a collapse.",
            url="https://jmlr.org/papers/v13/gretton12a.html",
        ),
        unit="kernel units",
        better="lower",
        bounds=(0.0, 2.0),
    ),
    "kl_on_grid": Metric(
        About(
            title="KL divergence on a grid",
            paper="Kahng et al., GAN Lab",
            year=2019,
            formula=r"\sum_b q_b \log \frac{q_b}{p_b}",
            idea="KL between the share of samples in each cell of a grid and the exact real mass of the cell.",
            watch_for="Real samples read (cells − 1) / 2n; infinite when a sample lies where no real one can.",
            url="https://arxiv.org/abs/1809.01587",
        ),
        unit="nats",
        better="lower",
    ),
    **RANDOM_METRICS,
    **FEW_METRICS,
    **SHARPNESS,
    **CODE_METRICS,
    **TRANSLATION_METRICS,
    **CYCLE_METRICS,
    **PYRAMID_METRICS,
}
