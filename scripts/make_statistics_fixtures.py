#!/usr/bin/env python3
"""Writes what SciPy, statsmodels and scikit-learn say, for tests to compare with.

    pip install numpy scipy statsmodels scikit-learn pandas
    make_statistics_fixtures.py --output Tests

`PipelineTests/Fixtures/statistics.json`: quantiles of the normal distribution, Wilson's intervals of shares, and design
effects of clusters. A design effect is 1 + (m − 1)ρ with ρ = (MSB − MSW)/(MSB + (m − 1)MSW), the mean squares being
differences of the residuals of statsmodels' linear models by group and by cluster; clusters have m units each.

`LensTests/Fixtures/principal-components.json`: of random vectors with a mean of their own, the share of their second moments
along the first right singular vector, and the explained variance of scikit-learn's first principal component.
"""

import argparse
import json
import pathlib
import platform

import numpy as np
import pandas
import scipy
import sklearn
import statsmodels
from scipy.stats import norm
from sklearn.decomposition import PCA
from statsmodels.formula.api import ols
from statsmodels.stats.proportion import proportion_confint


def design_effect(groups: list[list[list[int]]]) -> float:
    rows = [
        {"group": g, "cluster": f"{g}.{c}", "y": int(unit < successes)}
        for g, clusters in enumerate(groups) for c, (successes, units) in enumerate(clusters) for unit in range(units)
    ]
    table, m = pandas.DataFrame(rows), groups[0][0][1]
    by_group = ols("y ~ C(group)" if len(groups) > 1 else "y ~ 1", table).fit()
    by_cluster = ols("y ~ C(cluster)", table).fit()
    between = (by_group.ssr - by_cluster.ssr) / (by_group.df_resid - by_cluster.df_resid)
    within = by_cluster.ssr / by_cluster.df_resid
    return max(1.0, 1 + (m - 1) * (between - within) / (between + (m - 1) * within))


def statistics() -> dict:
    rng = np.random.default_rng(5)
    clusters = [
        [[[3, 10], [0, 10], [10, 10], [7, 10]]],
        [[[1, 2], [0, 2], [2, 2]], [[0, 2], [0, 2], [1, 2]]],
        [[[int(k), 5] for k in rng.binomial(5, rng.beta(0.6, 2, 12))] for _ in range(4)],
        [[[int(k), 8] for k in rng.binomial(8, 0.4, 20)] for _ in range(3)],
    ]
    return {
        "quantiles": [{"p": p, "z": float(norm.ppf(p))} for p in (1e-12, 0.001, 0.0025, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9995, 1 - 1e-9)],
        "wilson": [
            {"count": count, "n": n, "level": level, "interval": list(map(float, proportion_confint(count, n, 1 - level, "wilson")))}
            for count, n, level in [(0, 300, 0.95), (1, 300, 0.95), (300, 300, 0.95), (5, 8, 0.95), (2000, 4000, 0.95), (3, 7, 0.99), (1, 1, 0.95)]
        ],
        "designEffects": [{"groups": groups, "effect": design_effect(groups)} for groups in clusters],
    }


def components() -> list[dict]:
    rng = np.random.default_rng(6)
    cases = []
    for count, width, shift in [(10, 4, 0.0), (10, 4, 3.0), (6, 8, 1.0), (25, 5, 0.5)]:
        x = (rng.normal(size=(count, width)) * np.linspace(2, 0.3, width) + shift * rng.normal(size=width)).astype(np.float32)
        wide = x.astype(float)
        _, sigma, right = np.linalg.svd(wide, full_matrices=False)
        pca = PCA(svd_solver="full").fit(wide)
        cases.append({
            "count": count, "width": width, "vectors": x.ravel().tolist(), "direction": right[0].tolist(),
            "share": float(sigma[0] ** 2 / (sigma**2).sum()), "ratio": float(sigma[1] / sigma[0]),
            "centredShare": float(pca.explained_variance_ratio_[0]),
        })
    return cases


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="the folder Tests")
    output = parser.parse_args().output
    versions = {
        "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
        "statsmodels": statsmodels.__version__, "scikit-learn": sklearn.__version__,
    }
    for path, content in [
        ("PipelineTests/Fixtures/statistics.json", statistics()),
        ("LensTests/Fixtures/principal-components.json", {"cases": components()}),
    ]:
        file = output / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"versions": versions, **content}, indent=1) + "\n")


if __name__ == "__main__":
    main()
