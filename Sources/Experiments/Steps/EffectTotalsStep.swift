import CLIPModel
import DenseMath
import Lens
import Pipeline

/// Over all images of the fit set, of every neuron of each layer the second moment of its centred effects and what of it lies
/// along its direction: the share that a direction explains beyond the images it was fitted to.
typealias EffectTotals = ByLayer<LayerTotals>

struct LayerTotals: ColumnSet, Equatable {
    /// Σ‖φ_n − φ̄_n‖². // [N]
    var squares: [Double] = []
    /// Σ⟨φ_n − φ̄_n, r_n⟩². // [N]
    var along: [Double] = []

    static let columns: [Column<Self>] = [
        .rows("squares", \.squares, of: "neurons"), .rows("along", \.along, of: "neurons"),
    ]

    /// 0 for a neuron without effects. // [N]
    var shares: [Double] { zip(along, squares).map { $1 > 0 ? $0 / $1 : 0 } }

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
}

/// Measures ``EffectTotals``.
struct EffectTotalsStep: ImageStep {
    typealias Part = EffectTotals
    typealias Output = EffectTotals
    static let (kind, version) = ("effect-totals", 2)

    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let fitted: Study.Fitted
    private let projected: ProjectedEffects.Parts

    init(_ model: StudyModel, layers: [Int], images: ImageSource, fitted: Study.Fitted) {
        (self.model, self.layers, self.images, self.fitted) = (model, layers, images, fitted)
        projected = ProjectedEffects.Parts(model, layers: layers, directions: fitted.directions)
    }

    var parameters: Parameters { ["layers": .integers(layers)] }
    var inputs: [AnyStepHandle] { [fitted.means.erased, fitted.directions.erased] }
    var memory: MemoryEstimate? { model.memory(layers: layers) }
    var cost: CostEstimate? {
        model.passCost(
            layers: layers, fixed: { $0.factors($1) + $0.readings($1) },
            perImage: { $0.centred($1) + $0.norms($1, share: 1) + $0.projections($1) })
    }
    var none: EffectTotals {
        let zeros = [Double](repeating: 0, count: model.configuration.vision.mlpWidth)
        return EffectTotals(layers: layers.reduce(into: [:]) { $0[$1] = LayerTotals(squares: zeros, along: zeros) })
    }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<EffectTotals> {
        let projected = try ProjectedEffects(model, projected, means: inputs[fitted.means], inputs)
        return images.batches(projected.workspace) { totals, pass, _ in
            projected.forEachLayer(of: pass) { effects, projections in
                totals.layers[effects.lens.layer]?.add(
                    lengths: effects.norms(), projections: projections, batch: pass.batch)
            }
        }
    }

    func work(
        _ makeWorker: @escaping @Sendable (StepInputs) throws -> (Shard) throws -> EffectTotals
    ) throws -> Work<EffectTotals> {
        try joined(makeWorker) { parts in
            var all = none
            try parts.forEach { _, part in all.layers.merge(part.layers) { $0 + $1 } }
            return all
        }
    }
}
