import DenseMath
import Lens
import Pipeline

enum RandomPoolStep {
    /// A control for a pool of phrases: as many vectors, drawn from the Gaussian with the mean and covariance of the phrases'
    /// embeddings. They mean nothing, and lie where texts lie.
    static func add(
        _ pool: StepHandle<StoredTextPool>, named name: String, seed: Int, in graph: inout Graph
    ) throws -> StepHandle<StoredTextPool> {
        try graph.add(
            Step(
                kind: "random-dictionary", label: name, version: 1, parameters: ["seed": .integer(seed)], inputs: [pool.erased],
                work: .single { inputs in
                    let embeddings = try inputs[pool].pool.embeddings
                    var random = SplitMix64(seed: UInt64(seed), label: "random dictionary", index: 0)
                    let drawn = try GaussianVectors(like: embeddings)(embeddings.shape[0], &random)
                    return StoredTextPool(
                        TextPool(phrases: (1...embeddings.shape[0]).map { "random \($0)" }, embeddings: drawn))
                }))
    }
}
