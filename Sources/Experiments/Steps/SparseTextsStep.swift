import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// r_n of every neuron as a sum of a few phrases of one pool, by layer.
struct FittedSparseTexts: Artefact {
    var layers: [Int: SparseCodes]

    init(layers: [Int: SparseCodes]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        let sizes = (stored.metadata("sizes") ?? "").split(separator: ",").compactMap { Int($0) }
        layers = try LayerTensors.read(stored) { layer in
            let coefficients = try stored.numbers("\(layer).coefficients", dimensions: 3)
            let atoms = try stored.tensor("\(layer).atoms")
            guard coefficients.shape[0] == sizes.count, coefficients.shape[2] == sizes.last,
                atoms.shape == Array(coefficients.shape.dropFirst())
            else { throw PipelineError.invalidArtefact(part: "\(layer).coefficients", reason: "shape \(coefficients.shape)") }
            return SparseCodes(sizes: sizes, atoms: try atoms.int32s(), coefficients: coefficients)
        }
    }

    func stored() throws -> StoredArtefact {
        let sizes = layers.values.first?.sizes ?? []
        guard case .tensors(let tensors, var metadata) = try LayerTensors.write(layers, { codes in
            [
                "atoms": try StoredTensor(codes.atoms, shape: Array(codes.coefficients.shape.dropFirst())),
                "coefficients": try codes.coefficients.stored(),
            ]
        }) else { throw PipelineError.wrongArtefactForm(wanted: "tensors") }
        metadata["sizes"] = sizes.map(String.init).joined(separator: ",")
        return .tensors(tensors, metadata: metadata)
    }

    /// - Throws: `PipelineError.invalidArtefact` where the artefact lacks the layer.
    func layer(_ layer: Int) throws -> SparseCodes {
        guard let codes = layers[layer] else {
            throw PipelineError.invalidArtefact(part: "\(layer)", reason: "missing layer")
        }
        return codes
    }
}

enum SparseTextsStep {
    private static let neuronsPerShard = 256

    /// - Parameters:
    ///   - name: of the pool.
    ///   - phrases: that it has, as far as is known before it is made.
    ///   - sizes: numbers of atoms, ascending.
    static func add(
        _ study: Study, pool: StepHandle<StoredTextPool>, named name: String, phrases: Int,
        directions: StepHandle<FittedDirections>, sizes: [Int], in graph: inout Graph
    ) throws -> StepHandle<FittedSparseTexts> {
        let (layers, neurons) = (study.layers, study.model.configuration.vision.mlpWidth)
        let phrases = Double(phrases)
        let (m, d) = (Double(sizes.last ?? 0), Double(study.model.configuration.embeddingWidth))
        return try graph.add(
            Step(
                kind: "sparse-texts", label: name, version: 1, parameters: ["layers": .integers(layers), "sizes": .integers(sizes)],
                inputs: [pool.erased, directions.erased],
                // Correlations with all phrases at every step; the chosen phrases made orthogonal, in double precision.
                cost: study.model.imageCost(perUnit: 2 * m * phrases * d + 4 * m * m * d),
                work: .map(
                    units: layers.count * neurons, unitsPerShard: neuronsPerShard,
                    makeWorker: { inputs in
                        let directions = try inputs[directions]
                        let pursuit = MatchingPursuit(dictionary: try inputs[pool].pool.dictionary)
                        return { shard in
                            try inputs.checkCancellation()
                            var part = FittedSparseTexts(layers: [:])
                            for (position, layer) in layers.enumerated() {
                                let start = position * neurons
                                let chosen = shard.units.clamped(to: start..<start + neurons)
                                guard !chosen.isEmpty else { continue }
                                let rows = try directions.layer(layer).directions.directions
                                let d = rows.rowCount
                                part.layers[layer] = pursuit(
                                    Tensor(
                                        shape: [chosen.count, d],
                                        elements: Array(
                                            rows.elements[(chosen.lowerBound - start) * d..<(chosen.upperBound - start) * d])),
                                    sizes: sizes)
                            }
                            return part
                        }
                    },
                    reduce: { _, shards in
                        var parts: [Int: [SparseCodes]] = [:]
                        try shards.forEach { _, part in
                            for (layer, codes) in part.layers { parts[layer, default: []].append(codes) }
                        }
                        return FittedSparseTexts(layers: parts.mapValues { SparseCodes(joining: $0, sizes: sizes) })
                    })))
    }
}

extension SparseCodes {
    /// The codes of signals one after the other.
    fileprivate init(joining parts: [SparseCodes], sizes: [Int]) {
        let (count, m) = (parts.reduce(0) { $0 + $1.count }, sizes.last ?? 0)
        var coefficients: [Float] = []
        for size in sizes.indices {
            for part in parts {
                coefficients += part.coefficients.elements[size * part.count * m..<(size + 1) * part.count * m]
            }
        }
        self.init(
            sizes: sizes, atoms: parts.flatMap(\.atoms), coefficients: Tensor(shape: [sizes.count, count, m], elements: coefficients))
    }
}
