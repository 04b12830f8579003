"""Cures and tricks that combine with any objective: what each is, and the published settings that turn it on."""

from __future__ import annotations

from gan_core.about import About
from gan_core.config.gan.objectives import Recipe

TRICKS: dict[str, Recipe] = {
    "spectral_norm": Recipe(
        About(
            title="Spectral normalisation",
            paper="Miyato et al., Spectral Normalization for Generative Adversarial Networks, equation 8",
            year=2018,
            formula=r"\bar W = g\,W / \sigma(W),\quad \sigma(W) = \max_{\lVert h\rVert_2 = 1} \lVert W h\rVert_2",
            idea="Each weight matrix is divided by its largest singular value, found by one step of power iteration per "
            "pass: with a gain g of 1 and ReLU between, D is 1-Lipschitz in all places at once.",
            watch_for="On data in [−1, 1] a 1-Lipschitz D is nearly flat and G learns little; a gain of 2 per layer cured the "
            "collapsing ring where 1 did not.",
            url="https://arxiv.org/abs/1802.05957",
        ),
        {"model": {"discriminator": {"spectral_norm": True}}},
    ),
    "packing": Recipe(
        About(
            title="Packing",
            paper="Lin et al., PacGAN: The power of two samples in generative adversarial networks",
            year=2018,
            formula=r"D(x_1, \dots, x_m)\;\text{with all}\;x_i \sim p\;\text{or all}\;x_i = G(z_i)",
            idea="D judges m samples together, joined along features or channels. If G repeats itself, packs of generated "
            "samples lack diversity in a way that even a weak D can see.",
            watch_for="Two samples help, four cure the ring. Losses are means over packs, so a batch of 64 with packs of four "
            "is 16 judgements. Heat maps show D's opinion of a pack of equal samples, which it has never seen as real.",
            url="https://arxiv.org/abs/1712.04086",
        ),
        {"model": {"discriminator": {"packing": 4}}},
    ),
    "minibatch_stddev": Recipe(
        About(
            title="Minibatch standard deviation",
            paper="Karras et al., Progressive Growing of GANs, section 3",
            year=2018,
            formula=r"s = \tfrac{1}{F}\textstyle\sum_{f} \operatorname{std}_{i \in \text{group}} h_{if}",
            idea="One more feature before D's last layer: the standard deviation of the others over a small group of "
            "samples. D then sees how varied a batch is, and a G that repeats itself is found out.",
            watch_for="No parameter to tune but the size of the group, 4 as published. When measuring, D is shown the running "
            "mean of the feature, so that it judges each sample by itself.",
            url="https://arxiv.org/abs/1710.10196",
        ),
        {"model": {"discriminator": {"minibatch_stddev": 4}}},
    ),
    "minibatch_discrimination": Recipe(
        About(
            title="Minibatch discrimination",
            paper="Salimans et al., Improved Techniques for Training GANs, section 3.2",
            year=2016,
            formula=r"o_b(x_i) = \textstyle\sum_{j \neq i} \exp(-\lVert M_{i,b} - M_{j,b}\rVert_1),\quad M_i = f(x_i)\,T",
            idea="A learned tensor T projects D's features; for each kernel b, D is told how close a sample lies to the "
            "others of its batch. Samples that all agree look suspicious.",
            watch_for="Costs time with the square of the batch. When measuring, D is shown the running means of o.",
            url="https://arxiv.org/abs/1606.03498",
        ),
        {"model": {"discriminator": {"minibatch_kernels": 50, "minibatch_dims": 5}}},
    ),
    "autoencoder": Recipe(
        About(
            title="Autoencoder as discriminator",
            paper="Zhao, Mathieu, LeCun, Energy-based Generative Adversarial Networks, section 2.3",
            year=2017,
            formula=r"D(x) = -\tfrac{1}{d}\lVert x - \mathrm{Dec}(\mathrm{Enc}(x))\rVert_1",
            idea="D rebuilds what it sees, and its score is minus the error per number: real data should be easy, generated "
            "data hard to rebuild. There is one target per pixel instead of one per image.",
            watch_for="The score is never positive. A code as long as the data can copy anything, and then D tells nothing.",
            url="https://arxiv.org/abs/1609.03126",
        ),
        {
            "model": {"discriminator": {"output": "reconstruction"}},
            "objective": {"loss": "energy"},
        },
    ),
    "label_smoothing": Recipe(
        About(
            title="One-sided label smoothing",
            paper="Salimans et al., Improved Techniques for Training GANs, section 3.4",
            year=2016,
            formula=r"L_D = (1-s)\,\ell_1(D(x)) + s\,\ell_0(D(x)) + \ell_0(D(\hat x))",
            idea="D is asked to be 90 % sure of real data, not 100 %, so its logits stay small where only real data lie. "
            "The label of generated data is left at 0: smoothing it too would reward G for staying where it is.",
            watch_for="D(x) settles near 1 − s instead of 1, and D's best loss is no longer 0.",
            url="https://arxiv.org/abs/1606.03498",
        ),
        {"tricks": {"label_smoothing": 0.1}},
    ),
    "label_flipping": Recipe(
        About(
            title="Label flipping",
            paper="Chintala et al., How to Train a GAN? Tips and tricks to make GANs work, tip 6",
            year=2016,
            formula=r"(D(x_i), D(\hat x_i)) \to (D(\hat x_i), D(x_i))\;\text{with probability}\;p",
            idea="Now and then D is told a lie: real and generated change places in a pair. A D that can never be sure does "
            "not run away from G.",
            watch_for="D's loss cannot fall below the entropy of the lie; its gradient becomes noisy.",
            url="https://github.com/soumith/ganhacks",
        ),
        {"tricks": {"label_flipping": 0.05}},
    ),
    "instance_noise": Recipe(
        About(
            title="Instance noise",
            paper="Sønderby et al., Amortised MAP Inference for Image Super-resolution, section 2.3",
            year=2017,
            formula=r"D(x + \epsilon),\; D(G(z) + \epsilon),\quad \epsilon \sim \mathcal{N}(0, \sigma_t^2 I),"
            r"\quad \sigma_t = \sigma_0 \max(0, 1 - t/T)",
            idea="Noise on all that D sees makes real and generated data overlap, so that D cannot be perfect and its "
            "gradient means something; then the noise fades.",
            watch_for="Samples stay blurred while σ is large; the interesting moment is when it nears 0.",
            url="https://arxiv.org/abs/1610.04490",
        ),
        {"tricks": {"instance_noise": 0.1}},
    ),
    "feature_matching": Recipe(
        About(
            title="Feature matching",
            paper="Salimans et al., Improved Techniques for Training GANs, section 3.1",
            year=2016,
            formula=r"L_G = \lVert \mathbb{E}\,f(x) - \mathbb{E}\,f(G(z)) \rVert_2^2",
            idea="G is asked to match the mean of D's last features on real data instead of to beat D, so it cannot win by "
            "over-training on D's mistakes of the moment.",
            watch_for="Steady, but a mean is easy to match: look at diversity, not only at the term.",
            url="https://arxiv.org/abs/1606.03498",
        ),
        {"tricks": {"feature_matching": "instead"}},
    ),
    "unrolled": Recipe(
        About(
            title="Unrolled discriminator",
            paper="Metz et al., Unrolled Generative Adversarial Networks, equations 8 to 10",
            year=2017,
            formula=r"\theta_D^{k+1} = \theta_D^k - \eta\,\nabla L_D(\theta_G, \theta_D^k),\quad"
            r" L_G(\theta_G, \theta_D^K(\theta_G))",
            idea="G plays against the D that would answer it K steps from now and differentiates through those steps, so "
            "running to the one mode that D forgot no longer pays. D itself moves as always.",
            watch_for="A cure for rotating collapse: ten steps brought all eight modes of the ring, five did not. "
            "K steps cost about K times more.",
            url="https://arxiv.org/abs/1611.02163",
        ),
        {"tricks": {"unrolled_steps": 5}},
    ),
    "ema": Recipe(
        About(
            title="Moving average of G",
            paper="Yazıcı et al., The Unusual Effectiveness of Averaging in GAN Training",
            year=2019,
            formula=r"\bar\theta \leftarrow \beta\,\bar\theta + (1-\beta)\,\theta_G",
            idea="Samples and measurements come from an average of G's weights, which sits near the middle of the orbit that "
            "G runs around the equilibrium. Training itself does not see it.",
            watch_for="The average lags: with β = 0.999 it shows where G was about 1,000 steps ago, and at first only noise.",
            url="https://arxiv.org/abs/1806.04498",
        ),
        {"tricks": {"ema_decay": 0.999}},
    ),
    "diffaugment": Recipe(
        About(
            title="Differentiable augmentation",
            paper="Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, equations 4 and 5",
            year=2020,
            formula=r"L_D = \ell_1(D(T(x))) + \ell_0(D(T(\hat x))),\quad L_G = \ell_1(D(T(\hat x)))",
            idea="D sees every picture shifted, with a square cut out, or in other colours, real and generated ones by the "
            "same law, and G's gradient passes through the change. D cannot know a few hundred pictures by heart, and G is "
            "not asked to draw changed ones.",
            watch_for="With few pictures r_v stays low for longer. In a short run nothing is gained; cut squares or grey "
            "borders in samples mean that the change has leaked.",
            url="https://arxiv.org/abs/2006.10738",
        ),
        {"tricks": {"augment": "translation+cutout"}},
    ),
    "adaptive_augmentation": Recipe(
        About(
            title="Adaptive augmentation",
            paper="Karras et al., Training Generative Adversarial Networks with Limited Data, section 3",
            year=2020,
            formula=r"r_t = \mathbb{E}\,\mathrm{sign}\,D(x),\quad p \leftarrow p + \mathrm{sign}(r_t - 0.6)\,\tfrac{4B}{N}",
            idea="Each change is made with a probability p that begins at 0 and rises while D knows more than four in five of "
            "the real pictures: as much augmentation as it takes, and none where D is not too sure.",
            watch_for="p is drawn beside what D says. The published half a million pictures from 0 to 1 are longer than a "
            "whole run here; 20,000 are the default.",
            url="https://arxiv.org/abs/2006.06676",
        ),
        {"tricks": {"augment": "colour+translation+cutout", "augment_target": 0.6}},
    ),
    "lazy_regularization": Recipe(
        About(
            title="Lazy regularisation",
            paper="Karras et al., Analyzing and Improving the Image Quality of StyleGAN, section 3.1",
            year=2020,
            formula=r"L_D + [k \mid t]\;k\,\lambda R",
            idea="A penalty is computed in every k-th step of D only, and k times as strong: on average the same, at a "
            "fraction of its price.",
            watch_for="Without a penalty nothing changes. The curve of the penalty is 0 in between; read its mean.",
            url="https://arxiv.org/abs/1912.04958",
        ),
        {"objective": {"penalties": {"r1": 1.0}}, "tricks": {"penalty_interval": 16}},
    ),
    "two_time_scales": Recipe(
        About(
            title="Two time scales",
            paper="Heusel et al., GANs Trained by a Two Time-Scale Update Rule",
            year=2017,
            formula=r"\eta_D > \eta_G",
            idea="D and G have learning rates of their own. A D that is fast enough to stay near its optimum gives G a "
            "gradient that means something, and the game converges to a local Nash equilibrium.",
            watch_for="With D much slower than G, G hops from mode to mode while D's loss sits at 2 log 2.",
            url="https://arxiv.org/abs/1706.08500",
        ),
        {"optimizers": {"generator": {"lr": 1e-4}, "discriminator": {"lr": 4e-4}}},
    ),
    "lr_schedule": Recipe(
        About(
            title="Learning-rate schedule",
            paper="Loshchilov, Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, equation 5",
            year=2017,
            formula=r"\eta_t = \eta\,(f + (1-f)\,\tfrac{1 + \cos \pi t}{2})\;\text{or}\;\eta\,(1 - (1-f)\,t)",
            idea="The learning rate falls over the run, by a straight line or half a cosine: large steps to find the game, "
            "small ones to end it. t goes from 0 in the first round to 1 in the last.",
            watch_for="Curves calm down towards the end; that alone is no proof of convergence.",
            url="https://arxiv.org/abs/1608.03983",
        ),
        {"optimizers": {"generator": {"lr_schedule": "cosine"}, "discriminator": {"lr_schedule": "cosine"}}},
    ),
    "gradient_clipping": Recipe(
        About(
            title="Gradient clipping",
            paper="Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural networks, algorithm 1",
            year=2013,
            formula=r"g \leftarrow g\,\min(1, c / \lVert g \rVert_2)",
            idea="A gradient longer than c is scaled back to length c: a spike moves a player no further than usual.",
            watch_for="The gradient norm is drawn as it was before clipping; if it is always above c, the clipping has become "
            "the learning rate.",
            url="https://arxiv.org/abs/1211.5063",
        ),
        {"optimizers": {"generator": {"clip_gradient": 1.0}, "discriminator": {"clip_gradient": 1.0}}},
    ),
}
