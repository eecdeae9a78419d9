#!/usr/bin/env python3
"""Times scikit-learn's orthogonal matching pursuit on the dimensions of a layer's sparse texts.

    bench_matching_pursuit.py --atoms 30000 --width 512 --coefficients 128 --neurons 4

sparse_encode(algorithm="omp") is what SparseCoder calls; it is called here with the Gram matrix ready, whose
time is told apart because a layer needs it once. Neurons run one after the other with BLAS on all cores: each
copies the Gram matrix, and a neuron a core is slower (measured on two cores). Needs three times the Gram
matrix as memory, 11 GB. Prints one line of JSON.
"""

import argparse
import json
import time
import warnings

import numpy as np
import sklearn
from sklearn.decomposition import sparse_encode


def pool(rng: np.random.Generator, atoms: int, width: int) -> np.ndarray:
    """Unit vectors with a common mean in clusters of ten, minus their mean, each dimension divided by its norm, times 100."""
    centres = rng.normal(size=(-(-atoms // 10), width))
    rows = 1.5 * rng.normal(size=width) + np.repeat(centres, 10, axis=0)[:atoms] + 0.5 * rng.normal(size=(atoms, width))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows -= rows.mean(axis=0)
    return (100 * rows / np.linalg.norm(rows, axis=0)).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--atoms", type=int, default=30_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--coefficients", type=int, default=128)
    parser.add_argument("--neurons", type=int, default=4, help="timed, after one for warming up")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    dictionary = pool(rng, options.atoms, options.width)
    signals = rng.normal(size=(options.neurons, options.width)).astype(np.float32)
    signals /= np.linalg.norm(signals, axis=1, keepdims=True)

    start = time.perf_counter()
    gram = dictionary @ dictionary.T
    gram_seconds = time.perf_counter() - start

    def seconds(neurons: np.ndarray) -> float:
        start = time.perf_counter()
        sparse_encode(neurons, dictionary, gram=gram, algorithm="omp", n_nonzero_coefs=options.coefficients, check_input=False)
        return (time.perf_counter() - start) / len(neurons)

    seconds(signals[:1])  # touches all memory
    print(json.dumps({"secondsPerNeuron": seconds(signals), "neurons": options.neurons, "gramSeconds": gram_seconds,
                      "version": sklearn.__version__}))


if __name__ == "__main__":
    main()
