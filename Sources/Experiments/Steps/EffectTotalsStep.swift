import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// Over all images of the fit set, of every neuron the second moment of its centred effects and what of it lies along its
/// direction, by layer: the share that a direction explains beyond the images it was fitted to.
struct EffectTotals: Artefact {
    struct Layer: Sendable, Equatable {
        /// Σ‖φ_n − φ̄_n‖². // [N]
        var squares: [Double]
        /// Σ⟨φ_n − φ̄_n, r_n⟩². // [N]
        var along: [Double]

        /// Of no images.
        init(neurons N: Int) { self.init(squares: [Double](repeating: 0, count: N), along: [Double](repeating: 0, count: N)) }

        init(squares: [Double], along: [Double]) { (self.squares, self.along) = (squares, along) }

        /// Adds a batch of images.
        /// - Parameters:
        ///   - lengths: ‖φ_n − φ̄_n‖. // [N, batch]
        ///   - projections: ⟨φ_n − φ̄_n, r_n⟩. // [N, batch]
        mutating func add(lengths: UnsafePointer<Float>, projections: UnsafePointer<Float>, batch: Int) {
            for n in squares.indices {
                for place in n * batch..<(n + 1) * batch {
                    squares[n] += Double(lengths[place]) * Double(lengths[place])
                    along[n] += Double(projections[place]) * Double(projections[place])
                }
            }
        }

        static func + (a: Self, b: Self) -> Self {
            Self(squares: zip(a.squares, b.squares).map(+), along: zip(a.along, b.along).map(+))
        }

        /// 0 for a neuron without effects. // [N]
        var shares: [Double] { zip(along, squares).map { $1 > 0 ? $0 / $1 : 0 } }
    }

    var layers: [Int: Layer]

    init(layers: [Int: Layer]) { self.layers = layers }

    init(_ stored: StoredArtefact) throws {
        layers = try LayerTensors.read(stored) { layer in
            let (squares, along) = (try stored.tensor("\(layer).squares").doubles(), try stored.tensor("\(layer).along").doubles())
            guard squares.count == along.count else {
                throw PipelineError.invalidArtefact(part: "\(layer).along", reason: "\(along.count) for \(squares.count) neurons")
            }
            return Layer(squares: squares, along: along)
        }
    }

    func stored() throws -> StoredArtefact {
        try LayerTensors.write(layers) { layer in
            [
                "squares": try StoredTensor(layer.squares, shape: [layer.squares.count]),
                "along": try StoredTensor(layer.along, shape: [layer.along.count]),
            ]
        }
    }
}

enum EffectTotalsStep {
    static func add(_ study: Study, fitted: Study.Fitted, in graph: inout Graph) throws -> StepHandle<EffectTotals> {
        let (model, layers, images) = (study.model, study.layers, study.fit)
        let N = model.configuration.vision.mlpWidth
        let factored = model.factoredLensParts(layers)
        let readings = factored.readings { try $0[fitted.directions].layer($1.layer).directions.directions }
        return try graph.add(
            Step(
                kind: "effect-totals", version: 1, parameters: ["layers": .integers(layers)],
                inputs: [images.images.erased, fitted.means.erased, fitted.directions.erased], digests: ["model": model.digest],
                memory: model.memory(layers: layers),
                cost: model.passCost(
                    layers: layers, fixed: { $0.factors($1) + $0.readings($1) },
                    perImage: { $0.centred($1) + $0.norms($1, share: 1) + $0.projections($1) }),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let reader = ImageReader(try inputs[images.images])
                        let projected = try ProjectedEffects(
                            model, inputs.parts(factored), inputs.parts(readings), means: inputs[fitted.means])
                        let pass = projected.pass
                        return { shard in
                            var totals = EffectTotals(layers: layers.reduce(into: [:]) { $0[$1] = .init(neurons: N) })
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { _ in
                                projected.forEachLayer { effects, projections in
                                    effects.evaluateNorms()
                                    totals.layers[effects.lens.layer]?.add(
                                        lengths: effects.norms.base, projections: projections, batch: pass.batch)
                                }
                            }
                            return totals
                        }
                    },
                    reduce: { _, shards in
                        var all = EffectTotals(layers: layers.reduce(into: [:]) { $0[$1] = .init(neurons: N) })
                        try shards.forEach { _, part in all.layers.merge(part.layers) { $0 + $1 } }
                        return all
                    })))
    }
}
