"""The algebra of the Theory page as LaTeX, in the notation of the Library's cards. Tests compute what is printed here."""

from __future__ import annotations

from gan_core.about import means

_SIGMA = r"\sigma(\psi \theta)"

SATURATION = (
    r"-\tfrac{d}{dl} \log(1 - \sigma(l)) = \sigma(l) = D(G(z))"
    r"\qquad -\tfrac{d}{dl} (-\log \sigma(l)) = 1 - \sigma(l) = 1 - D(G(z))"
)
"""Minimax, then non-saturating: −dL_G/dl for D's logit l of a generated sample."""

BEST_D = r"D^*(x) = \frac{p_d(x)}{p_d(x) + p_g(x)}"
VALUE = r"\max_D V = V(D^*) = 2 \mathrm{JS}(p_d, p_g) - 2 \log(2)"

JS = means(r"\mathrm{JS} = \tfrac{1}{2} Ex[\log(p_d(x) / m(x))] + \tfrac{1}{2} Eg[\log(p_g(xh) / m(xh))]")
MIDDLE = r"m = \tfrac{1}{2} (p_d + p_g)"
WASSERSTEIN = means(r"W_1 = \max_{\lVert f \rVert_L \le 1} Ex[f(x)] - Eg[f(xh)]")

DIRAC = {
    "non_saturating": (rf"\psi (1 - {_SIGMA})", rf"-\theta {_SIGMA}"),
    "minimax": (rf"\psi {_SIGMA}", rf"-\theta {_SIGMA}"),
    "least_squares": (r"\psi (1 - 2 \psi \theta)", r"-\theta (1 + 2 \psi \theta)"),
    "wasserstein": (r"\psi", r"-\theta"),
    "hinge": (r"\psi", r"-\theta \mathrm{step}(1 + \psi \theta)"),
}
"""By loss: −∂L_G/∂θ and −∂L_D/∂ψ of the Dirac-GAN."""

DIRAC_ADDED = {
    "r1": r"- \gamma \psi",
    "gradient_penalty": r"- 2 \lambda (\psi - \mathrm{sign}(\psi))",
    "one_sided_gradient_penalty": r"- 2 \lambda \mathrm{sign}(\psi) \max(0, |\psi| - 1)",
}
"""What a penalty adds to the second."""

OVERLAP = r"n_i = \lceil (k - (i \bmod s)) / s \rceil"
"""How many inputs reach pixel i of a line, away from its ends."""

COLLAPSE = r"\mathrm{KL}_j = \max(0, \tfrac{1}{2} \log(\lambda_j / (\beta \sigma^2)))"
"""Nats of a dimension of the best linear β-VAE with a fixed σ²."""

LEFT_BY_PCA = r"\min_{E,\,\mathrm{Dec}} \text{MSE} = \frac{1}{d} \sum_{j=q+1}^{d} \lambda_j"
"""On the data whose covariance has the eigenvalues λ."""

PIXEL_ERRORS = {
    "mse": r"p (1 - a)^2 + (1 - p) a^2",
    "bce": r"-p \log(a) - (1 - p) \log(1 - a)",
    "l1": r"p (1 - a) + (1 - p) a",
}
"""What the guess a costs on average for a pixel that is white with probability p."""
PIXEL = r" \qquad ".join(
    rf"\text{{{title}}}: {PIXEL_ERRORS[name]}" for name, title in (("mse", "MSE"), ("bce", "BCE"), ("l1", "L1"))
)

BEST_D_OF_PAIRS = r"D^*(x, z) = \frac{p_E(x, z)}{p_E(x, z) + p_G(x, z)}"
VALUE_OF_PAIRS = r"V(D^*) = 2 \mathrm{JS}(p_E, p_G) - \log(4)"

ASCENT = r"\frac{1}{m} \sum_{i=1}^{m} [\log D(x^{(i)}) + \log(1 - D(G(z^{(i)})))]"
DESCENT = r"\frac{1}{m} \sum_{i=1}^{m} \log(1 - D(G(z^{(i)})))"

ALGORITHM_1 = (
    r"\begin{array}{l}"
    r"\textbf{for } \text{number of training iterations } \textbf{do} \\"
    r"\quad \textbf{for } k \text{ steps } \textbf{do} \\"
    r"\quad\quad \text{sample } z^{(1)}, \dots, z^{(m)} \sim p_z \text{ and } x^{(1)}, \dots, x^{(m)} \sim p_d \\"
    r"\quad\quad \text{update } D \text{ by ascending its gradient} \\[3pt]"
    rf"\quad\quad\quad \displaystyle \nabla_{{\theta_d}} {ASCENT} \\[10pt]"
    r"\quad \textbf{end for} \\"
    r"\quad \text{sample } z^{(1)}, \dots, z^{(m)} \sim p_z \\"
    r"\quad \text{update } G \text{ by descending its gradient} \\[3pt]"
    rf"\quad\quad\quad \displaystyle \nabla_{{\theta_g}} {DESCENT} \\[10pt]"
    r"\textbf{end for}"
    r"\end{array}"
)
"""Algorithm 1 of Goodfellow et al. 2014."""


def dirac(loss: str, cure: str, *, simultaneous: bool) -> str:
    """One round of the Dirac-GAN with a step h: where it goes from (θ, ψ)."""
    right, up = DIRAC[loss]
    up = f"{up} {DIRAC_ADDED.get(cure, '')}".strip()
    if cure == "clip_value":
        up = rf"\text{{clip to }} [-c, c] \text{{ after }} {up}"
    if cure == "noise":
        right, up = (rf"\mathbb{{E}}[{part}]" for part in (right, up))
    d, g = rf"\psi \leftarrow \psi + h\,\bigl({up}\bigr)", rf"\theta \leftarrow \theta + h\,\bigl({right}\bigr)"
    told = r"\text{both from the same } (\theta, \psi)" if simultaneous else r"\text{with the new } \psi"
    return rf"{d}, \qquad {g} \quad {told}"
