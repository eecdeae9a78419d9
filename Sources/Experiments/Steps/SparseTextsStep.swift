import CLIPModel
import DenseMath
import Lens
import Pipeline

/// r_n of every neuron as a sum of a few phrases of one pool, by layer.
typealias FittedSparseTexts = ByLayer<SparseCodes>

extension SparseCodes: ColumnSet {
    init() { self.init(sizes: [0], atoms: [], coefficients: Tensor(zeros: [1, 0, 0])) }

    static let columns: [Column<Self>] = [
        .shared("sizes", \.sizes), .rows("atoms", \.atoms, of: "signals") { [$0.sizes.last ?? 0] },
        .shared("coefficients", \.coefficients, dimensions: 3),
    ]

    func check() throws {
        let m = sizes.last ?? 0
        guard coefficients.shape == [sizes.count, atoms.count / max(m, 1), m] else {
            throw PipelineError.invalidArtefact(
                part: "coefficients", reason: "shape \(coefficients.shape) for sizes \(sizes)")
        }
    }

    /// Adds the signals that follow.
    mutating func append(_ next: SparseCodes) {
        guard count > 0 else { return self = next }
        let (first, m) = (self, sizes.last ?? 0)
        let joined = sizes.indices.flatMap { size in
            [first, next].flatMap { $0.coefficients.elements[size * $0.count * m..<(size + 1) * $0.count * m] }
        }
        atoms += next.atoms
        coefficients = Tensor(shape: [sizes.count, first.count + next.count, m], elements: joined)
    }
}

/// Describes every neuron's direction by phrases of a pool, by matching pursuit.
struct SparseTextsStep: StepDefinition {
    let model: StudyModel
    let layers: [Int]
    let pool: StepHandle<StoredTextPool>
    /// Name of the pool.
    let name: String
    /// Phrases that the pool has, as far as is known before it is made.
    let phrases: Int
    let directions: StepHandle<FittedDirections>
    /// Numbers of atoms, ascending.
    let sizes: [Int]

    private static let neuronsPerShard = 256

    func step() throws -> Step<FittedSparseTexts> {
        let neurons = model.configuration.vision.mlpWidth
        let (m, d) = (Double(sizes.last ?? 0), Double(model.configuration.embeddingWidth))
        return Step(
            kind: "sparse-texts", label: name, version: 2,
            parameters: ["layers": .integers(layers), "sizes": .integers(sizes)],
            inputs: [pool.erased, directions.erased],
            // Correlations with all phrases at every step; the chosen phrases made orthogonal, in double precision. Looking
            // for the largest takes nearly as long again.
            cost: model.imageCost(perUnit: 1.8 * (2 * m * Double(phrases) * d + 4 * m * m * d)),
            work: try .joined(units: layers.count * neurons, unitsPerShard: Self.neuronsPerShard) { inputs in
                let directions = try inputs[directions]
                let pursuit = MatchingPursuit(dictionary: try inputs[pool].pool.dictionary)
                return { shard in
                    try inputs.checkCancellation()
                    var part = FittedSparseTexts()
                    for (position, layer) in layers.enumerated() {
                        let start = position * neurons
                        let chosen = shard.units.clamped(to: start..<start + neurons)
                        guard !chosen.isEmpty else { continue }
                        let rows = try directions.layer(layer).directions.directions
                        let d = rows.rowWidth
                        part.layers[layer] = pursuit(
                            Tensor(
                                shape: [chosen.count, d],
                                elements: Array(
                                    rows.elements[(chosen.lowerBound - start) * d..<(chosen.upperBound - start) * d])),
                            sizes: sizes)
                    }
                    return part
                }
            })
    }
}
