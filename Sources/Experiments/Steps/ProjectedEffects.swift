import CLIPModel
import DenseMath
import Lens

/// Centred effects of every layer's neurons and their projections ⟨φ_n − φ̄_n, r_n⟩, batch by batch. Belongs to one worker.
struct ProjectedEffects {
    /// Runs the images.
    let pass: EffectPass
    private let layers: [(effects: CentredEffects, reader: EffectReconstruction)]

    /// - Parameters:
    ///   - readings: how the neurons of each lens read their directions.
    ///   - means: φ̄ of each layer.
    /// - Throws: `PipelineError.invalidArtefact` for a layer without means, and what loading the model throws.
    init(_ model: ModelUnderStudy, _ lenses: [FactoredLens], _ readings: [DirectionReadings], means: FittedMeans) throws {
        pass = EffectPass(try model.clip.value().vision, layers: lenses.map(\.lens.layer), capacity: model.batch)
        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
        layers = try zip(lenses, readings).map { part, readings in
            (
                CentredEffects(part.lens, factors: part.factors, means: try means.layer(part.lens.layer), scratch: scratch),
                EffectReconstruction(readings, capacity: model.batch)
            )
        }
    }

    /// Of the batch that has just run, one layer after the other, since they share their scratch memory.
    /// - Parameter body: gets the effects and the projections of a layer. // [N, batch]
    func forEachLayer(_ body: (CentredEffects, UnsafePointer<Float>) -> Void) {
        for (effects, reader) in layers {
            effects.update(pass)
            reader.update(effects, batch: pass.batch, meanAblated: pass.representations.base)
            body(effects, UnsafePointer(reader.coefficients.base))
        }
    }
}
