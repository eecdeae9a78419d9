#!/usr/bin/env python3
"""Writes sparse codes of scikit-learn for the tests of MatchingPursuit to compare with.

    make_matching_pursuit_fixtures.py --output Tests/DenseMathTests/Fixtures/matching-pursuit.json

The codes are those of SparseCoder(transform_algorithm="omp") on 64-bit numbers; dictionaries and
signals are rounded to 32 bits first. SparseCoder does not tell the order of choice: each case is
computed for every number of atoms from 1 to m, and the order is that in which the supports grow.
Everything is deterministic: the random numbers come from fixed seeds.
"""

import argparse
import json
import pathlib
import platform
import warnings

import numpy as np
import scipy
import sklearn
from sklearn.decomposition import SparseCoder

WIDTH = 24


def pool(rng: np.random.Generator, atoms: int, spread: float = 0.05) -> np.ndarray:
    """Like the embeddings of many texts: unit vectors with a common mean and clusters of near-duplicates,
    minus their mean, each dimension divided by its norm over the pool, times 100."""
    centres = rng.normal(size=(atoms // 4, WIDTH))
    rows = 1.5 * rng.normal(size=WIDTH) + centres[rng.integers(len(centres), size=atoms)]
    rows += spread * rng.normal(size=rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows -= rows.mean(axis=0)
    return 100 * rows / np.linalg.norm(rows, axis=0)


def unit(rng: np.random.Generator, count: int) -> np.ndarray:
    rows = rng.normal(size=(count, WIDTH))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_cases() -> list[tuple[str, np.ndarray, np.ndarray, list[int]]]:
    rng = np.random.default_rng(20)
    ordinary = pool(rng, 200)
    small = pool(rng, 60, spread=0.3)
    # Integers, so that rounding to 32 bits does not raise the rank.
    low_rank = (rng.integers(-3, 4, size=(30, 5)) @ rng.integers(-3, 4, size=(5, WIDTH))).astype(float)
    few = rng.normal(size=(10, WIDTH)) * np.geomspace(0.3, 3, 10)[:, None]
    duplicates = np.vstack([small[:20], small[5:15], -small[10:18], 2 * small[18:20]])
    with_zeros = small[:24].copy()
    with_zeros[[0, 7]] = 0
    signals = unit(rng, 12)
    basis = 2 * np.eye(WIDTH)
    # Equal magnitudes: the atom is decided by the order of atoms alone.
    ties = np.stack([rng.integers(-2, 3, size=WIDTH) for _ in range(10)]).astype(float)
    # Correlations on both sides of 2^-26 = 1.49e-8, whose square is the smallest that counts.
    tiny = np.zeros((6, WIDTH))
    tiny[np.arange(6), np.arange(6)] = [7.3e-9, 7.4e-9, 7.5e-9, 7.6e-9, 1e-9, 1]
    tiny[5, 9] = 7e-9
    sums = np.stack([small[rng.integers(60, size=3)].T @ rng.uniform(-1, 1, size=3) for _ in range(6)])
    return [
        ("pool", ordinary, unit(rng, 40), [4, 8, 16]),
        ("nearly as many atoms as numbers", small, signals, [8, 20, 23]),
        ("as many atoms as numbers", small, signals, [12, 24]),
        ("more atoms than numbers", small, signals, [24, 30]),
        ("fewer atoms than numbers", few, signals, [1, 5, 10]),
        ("signals outside the span", low_rank, signals, [3, 5, 8]),
        ("signals inside the span", low_rank, (low_rank[:4] - 2 * low_rank[4:8]) / 8, [3, 5, 8]),
        ("sums of three atoms", small, sums, [3, 6, 12]),
        ("equal and opposite atoms", duplicates, signals, [4, 10]),
        ("atoms and signals of zeros", with_zeros, np.vstack([np.zeros(WIDTH), signals[:4]]), [4, 22]),
        ("ties", basis, ties, [1, 2, 5, 16]),
        ("tiny", basis, tiny, [1, 3]),
    ]


def solve(dictionary: np.ndarray, signals: np.ndarray, sizes: list[int]) -> tuple[list, list]:
    """Atoms in the order of choice, -1 after an early end, and coefficients by size, in that order."""
    order = np.full((len(signals), sizes[-1]), -1)
    coefficients = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an early end
        for count in range(1, sizes[-1] + 1):
            if count > len(dictionary):
                break
            coder = SparseCoder(dictionary=dictionary, transform_algorithm="omp", transform_n_nonzero_coefs=count)
            codes = coder.transform(signals)
            for signal, code in enumerate(codes):
                new = sorted(set(np.flatnonzero(code)) - set(order[signal, :count - 1]))
                assert len(new) <= 1, f"signal {signal}: {new} are new with {count} atoms"
                if new:
                    order[signal, count - 1] = new[0]
            if count in sizes:
                coefficients.append([
                    [float(code[atom]) for atom in order[signal, :count] if atom >= 0] for signal, code in enumerate(codes)])
    return order.tolist(), coefficients


def rounded(rows: np.ndarray) -> list[list[float]]:
    """Rows of 32-bit numbers, with as many digits as tell them apart."""
    return [[float(np.format_float_scientific(value)) for value in row] for row in rows.astype(np.float32)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    options = parser.parse_args()
    cases = []
    for name, dictionary, signals, sizes in make_cases():
        exact = dictionary.astype(np.float32).astype(np.float64)
        atoms, coefficients = solve(exact, signals.astype(np.float32).astype(np.float64), sizes)
        cases.append({"name": name, "dictionary": rounded(dictionary), "signals": rounded(signals), "sizes": sizes,
                      "atoms": atoms, "coefficients": coefficients})
    fixture = {
        "madeBy": "python scripts/make_matching_pursuit_fixtures.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
                     "scikit-learn": sklearn.__version__},
        "cases": cases,
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(fixture, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
