import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// What the classifier says about every image, layer and condition.
public struct AblationPredictions: Artefact {
    /// The columns after those of `AblationCondition`: the indirect effect of all neurons.
    static let indirect = "indirect"
    /// Names of the conditions in the order of the last dimension.
    static let conditions = AblationCondition.allCases.map(\.rawValue) + [indirect]

    /// The label where a condition was left out.
    static let notRun: Int32 = -1

    let layers: [Int]
    /// // [images, layers, conditions]
    var labels: [Int32]
    /// Score of the prediction less the runner-up's. // [images, layers, conditions]
    var margins: [Float]

    var count: Int { labels.count / max(layers.count * Self.conditions.count, 1) }

    init(layers: [Int]) {
        self.layers = layers
        (labels, margins) = ([], [])
    }

    /// Whether a condition was measured for a layer, by its place.
    func hasRun(layer: Int, condition: Int) -> Bool {
        (0..<count).allSatisfy { labels[index(image: $0, layer: layer, condition: condition)] != Self.notRun }
    }

    func index(image: Int, layer: Int, condition: Int) -> Int {
        (image * layers.count + layer) * Self.conditions.count + condition
    }

    public init(_ stored: StoredArtefact) throws {
        labels = try stored.tensor("labels").int32s()
        margins = try stored.tensor("margins").floats()
        layers = (stored.metadata("layers") ?? "").split(separator: ",").compactMap { Int($0) }
        guard labels.count == count * layers.count * Self.conditions.count, margins.count == labels.count else {
            throw PipelineError.invalidArtefact(part: "labels", reason: "\(labels.count) for \(count) images")
        }
    }

    public func stored() throws -> StoredArtefact {
        let shape = [count, layers.count, Self.conditions.count]
        return .tensors(
            [
                "labels": try StoredTensor(labels, shape: shape),
                "margins": try StoredTensor(margins, shape: shape),
            ], metadata: ["layers": layers.map(String.init).joined(separator: ",")])
    }
}

enum AblationStep {
    /// - Parameters:
    ///   - indirectLayers: whose indirect effects are measured too; nil for all.
    ///   - seed: decides the random neurons of the control.
    static func add(
        _ model: ModelUnderStudy, layers: [Int], images: ImageSource, classifier: StepHandle<StoredClassifier>,
        means: StepHandle<FittedMeans>, directions: StepHandle<FittedDirections>, indirectLayers: [Int]?,
        seed: Int, in graph: inout Graph
    ) throws -> StepHandle<AblationPredictions> {
        let resumed = Set(indirectLayers ?? layers)
        let factored = model.factoredLensParts(layers)
        let readings = factored.readings { try $0[directions].layer($1.layer).directions.directions }
        return try graph.add(
            Step(
                kind: "ablation-predictions", version: 3,
                parameters: [
                    "layers": .integers(layers), "indirect-layers": .integers(layers.filter(resumed.contains)), "seed": .integer(seed),
                ],
                inputs: [images.images.erased, classifier.erased, means.erased, directions.erased],
                digests: ["model": model.digest], memory: model.memory(layers: layers, [.effects, .resumed]),
                cost: model.passCost(
                    layers: layers, fixed: { $0.factors($1) + $0.readings($1) }, perImage: { $0.ablation($1) + (resumed.contains($1) ? $0.indirect($1) : 0) }),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let (reader, classifier) = (ImageReader(try inputs[images.images]), try inputs[classifier].classifier)
                        let (means, directions) = (try inputs[means], try inputs[directions])
                        let vision = try model.clip.value().vision
                        let pass = EffectPass(vision, layers: layers, capacity: model.batch, capturing: .mlpInput)
                        let lenses = try inputs.parts(factored)
                        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
                        let ablations = try zip(lenses, try inputs.parts(readings)).map { part, readings in
                            let layerMeans = try means.layer(part.lens.layer)
                            return MeanAblation(
                                CentredEffects(part.lens, factors: part.factors, means: layerMeans, scratch: scratch),
                                means: layerMeans, thresholds: try directions.layer(part.lens.layer).thresholds,
                                readings: readings, capacity: model.batch)
                        }
                        let indirect = IndirectAblation(
                            vision, means: means.layers.mapValues(\.activations), capacity: model.batch)
                        return { shard in
                            var result = AblationPredictions(layers: layers)
                            try ImageShards.forEachBatch(shard.units, of: reader, named: images.name, pass, inputs) { start in
                                result.append(
                                    try classify(
                                        pass, ablations, indirect, of: resumed, classifier, images.name, firstImage: start,
                                        seed: UInt64(seed), check: inputs.checkCancellation))
                            }
                            return result
                        }
                    },
                    reduce: { _, shards in
                        var all = AblationPredictions(layers: layers)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }

    /// Every condition of every layer for the batch that `pass` has just run.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, and what `check` throws.
    private static func classify(
        _ pass: EffectPass, _ ablations: [MeanAblation], _ indirect: IndirectAblation,
        of resumed: Set<Int>, _ classifier: ZeroShotClassifier, _ name: ImageSet, firstImage: Int, seed: UInt64,
        check: () throws -> Void
    ) throws -> AblationPredictions {
        let batch = pass.batch
        let layers = ablations.map(\.effects.lens.layer)
        var result = AblationPredictions(layers: layers)
        let perImage = layers.count * AblationPredictions.conditions.count
        result.labels = [Int32](repeating: AblationPredictions.notRun, count: batch * perImage)
        result.margins = [Float](repeating: 0, count: batch * perImage)
        for (position, ablation) in ablations.enumerated() {
            ablation.update(pass, firstImage: firstImage, seed: seed)
            var representations = AblationCondition.allCases.map { ablation.representations($0) }
            if resumed.contains(layers[position]) {
                try indirect.update(pass, layer: layers[position], check: check)
                representations.append(UnsafePointer(indirect.representations.base))
            }
            for (condition, vectors) in representations.enumerated() {
                let answers = classifier.classify(vectors, batch: batch)
                for image in 0..<batch {
                    guard let answer = answers[image] else {
                        throw ExperimentError.notFinite(
                            image: name.imageID(firstImage + image),
                            place: "layer \(layers[position]), \(AblationPredictions.conditions[condition])")
                    }
                    let index = result.index(image: image, layer: position, condition: condition)
                    result.labels[index] = Int32(answer.label)
                    result.margins[index] = answer.margin
                }
            }
        }
        return result
    }
}

extension AblationPredictions {
    /// Adds the images that follow.
    fileprivate mutating func append(_ next: AblationPredictions) {
        labels += next.labels
        margins += next.margins
    }
}
