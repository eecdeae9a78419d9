import DenseMath

/// Memory for the head coordinates of one layer's neurons on one batch, and for what is made of them.
///
/// Layers take turns with it: their coordinates together would take gigabytes for a large model, and each
/// layer's are read before the next's are evaluated. Belongs to one worker.
public final class EffectScratch {
    /// Neurons whose products are evaluated together.
    static let chunk = 64

    /// Coordinates of the neurons that are looked at together: 2 MiB.
    var coordinatesTogether = 1 << 19
    /// Images that fit.
    let capacity: Int
    private let neurons, headCount: Int
    /// The layer whose effects stand here.
    var layer: Int?

    /// δs. // [N, batch, K]
    let coordinates: FloatBuffer
    /// δb. // [batch, d]
    let biasShares: FloatBuffer
    /// b. // [batch, d]
    let rawBiasShares: FloatBuffer
    /// ‖φ_n − φ̄_n‖. // [N, batch]
    let norms: FloatBuffer
    /// ‖R_n δs‖. // [N, batch]
    let coordinateNorms: FloatBuffer
    /// ‖δb‖. // [batch]
    let biasNorms: FloatBuffer
    /// δb of images whose norms are evaluated. // [batch, d]
    let chosenBiasShares: FloatBuffer
    /// output_k δb of the same images. // [batch, K · d_h]
    let reads: FloatBuffer
    /// δs of some neurons for one image. // [chunk, K]
    let chosenCoordinates: FloatBuffer
    /// Σ_k δs_k input_kᵀ output_k δb of the same, or their w^n. // [chunk, D]
    let chosenQueries: FloatBuffer
    /// What is brought to the heads, by the whole MLP and by two sets of neurons: Σ_n δs_{n,k} w^n. // [K, 3 · batch, D]
    ///
    /// Before that, input_kᵀ output_k δb of the images whose norms are evaluated. // [batch, K, D]
    let mixed: FloatBuffer
    /// What a layer's heads, and one head, read of what is brought. // [3 · batch, D + d_h]
    let values: FloatBuffer
    /// What all heads carry of it. // [3 · batch, d]
    let carried: FloatBuffer

    /// - Parameter lenses: of one model, each of which the memory will fit.
    public init(_ lenses: [SecondOrderLens], capacity: Int) {
        func largest(_ size: (SecondOrderLens) -> Int) -> Int { lenses.map(size).max() ?? 0 }
        let (N, K, D) = (largest(\.neurons), largest(\.headCount), largest(\.width))
        let (d, columns) = (largest(\.embeddingWidth), largest { $0.headCount * $0.headWidth })
        self.capacity = capacity
        (neurons, headCount) = (N, K)
        coordinates = FloatBuffer(N * capacity * K)
        biasShares = FloatBuffer(capacity * d)
        rawBiasShares = FloatBuffer(capacity * d)
        norms = FloatBuffer(N * capacity)
        coordinateNorms = FloatBuffer(N * capacity)
        biasNorms = FloatBuffer(capacity)
        chosenBiasShares = FloatBuffer(capacity * d)
        chosenCoordinates = FloatBuffer(Self.chunk * K)
        chosenQueries = FloatBuffer(Self.chunk * D)
        reads = FloatBuffer(capacity * columns)
        mixed = FloatBuffer(3 * capacity * K * D)
        values = FloatBuffer(3 * capacity * (D + largest(\.headWidth)))
        carried = FloatBuffer(3 * capacity * d)
    }

    func fits(_ lens: SecondOrderLens) -> Bool { lens.neurons <= neurons && lens.headCount <= headCount }
}
