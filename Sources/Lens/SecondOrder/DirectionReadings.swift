import DenseMath

/// How the neurons of a layer read one vector each: the image-independent half of replacing effects by
/// their projections. Made once and shared by all workers.
public struct DirectionReadings: Sendable, Equatable {
    /// v_n, of any length. // [N, d]
    public let directions: Tensor
    /// ρ_{n,k} = M_{n,k} · v_n. // [N, K]
    public let projections: Tensor

    /// - Precondition: one row for each neuron of the lens. // [N, d]
    public init(_ lens: SecondOrderLens, directions: Tensor) {
        let (K, d) = (lens.headCount, lens.embeddingWidth)
        precondition(directions.shape == [lens.neurons, d], "\(directions.shape) is not one direction a neuron")
        var projections = Tensor(zeros: [lens.neurons, K])
        for start in stride(from: 0, to: lens.neurons, by: lens.directionsTogether) {
            let range = start..<min(start + lens.directionsTogether, lens.neurons)
            let M = lens.headDirections(range)
            for n in range {
                for k in 0..<K {
                    let row = ((n - start) * K + k) * d
                    projections.elements[n * K + k] = zip(M.elements[row..<row + d], directions[row: n])
                        .reduce(0) { $0 + $1.0 * $1.1 }
                }
            }
        }
        self.directions = directions
        self.projections = projections
    }
}
