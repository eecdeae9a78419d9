import CLIPModel
import DenseMath
import Lens
import Pipeline

/// What the classifier says about every image, layer and condition.
struct AblationPredictions: ColumnTable {
    /// The columns after those of `AblationCondition`: the indirect effect of all neurons.
    static let indirect = "indirect"
    /// Names of the conditions in the order of the last dimension.
    static let conditions = AblationCondition.allCases.map(\.rawValue) + [indirect]

    /// The label where a condition was left out.
    static let notRun: Int32 = -1

    private(set) var layers: [Int] = []
    /// // [images, layers, conditions]
    var labels: [Int32] = []
    /// Score of the prediction less the runner-up's. // [images, layers, conditions]
    var margins: [Float] = []

    static let columns: [Column<Self>] = [
        .shared("layers", \.layers),
        .rows("labels", \.labels) { [$0.layers.count, conditions.count] },
        .rows("margins", \.margins) { [$0.layers.count, conditions.count] },
    ]

    var count: Int { labels.count / max(layers.count * Self.conditions.count, 1) }

    init() {}
    init(layers: [Int]) { self.layers = layers }

    /// Whether a condition was measured for a layer, by its place.
    func hasRun(layer: Int, condition: Int) -> Bool {
        (0..<count).allSatisfy { labels[index(image: $0, layer: layer, condition: condition)] != Self.notRun }
    }

    func index(image: Int, layer: Int, condition: Int) -> Int {
        (image * layers.count + layer) * Self.conditions.count + condition
    }
}

/// Classifies every image with parts of the second-order effects of each layer replaced by their means.
struct AblationStep: ImageStep {
    typealias Output = AblationPredictions
    static let (kind, version) = ("ablation-predictions", 4)

    let model: StudyModel
    let layers: [Int]
    let images: ImageSource
    let classifier: StepHandle<StoredClassifier>
    let fitted: Study.Fitted
    /// Decides the random neurons of the control.
    let seed: Int
    /// Whose indirect effects are measured too.
    private let resumed: Set<Int>
    private let lenses: SharedParts<FactoredLens>
    private let readings: SharedParts<DirectionReadings>

    /// - Parameter indirectLayers: whose indirect effects are measured too.
    init(
        _ model: StudyModel, layers: [Int], images: ImageSource, classifier: StepHandle<StoredClassifier>,
        fitted: Study.Fitted, indirectLayers: [Int], seed: Int
    ) {
        (self.model, self.layers, self.images, self.classifier) = (model, layers, images, classifier)
        (self.fitted, self.seed) = (fitted, seed)
        resumed = Set(indirectLayers)
        lenses = model.factoredLensParts(layers)
        readings = lenses.readings(along: fitted.directions)
    }

    var parameters: Parameters {
        [
            "layers": .integers(layers), "indirect-layers": .integers(layers.filter(resumed.contains)),
            "seed": .integer(seed),
        ]
    }
    var inputs: [AnyStepHandle] { [classifier.erased, fitted.means.erased, fitted.directions.erased] }
    var memory: MemoryEstimate? { model.memory(layers: layers, [.effects, .resumed]) }
    var cost: CostEstimate? {
        model.passCost(
            layers: layers, fixed: { $0.factors($1) + $0.readings($1) },
            perImage: { $0.ablation($1) + (resumed.contains($1) ? $0.indirect($1) : 0) })
    }
    var none: AblationPredictions { AblationPredictions(layers: layers) }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<AblationPredictions> {
        let (means, directions) = (try inputs[fitted.means], try inputs[fitted.directions])
        let vision = try model.clip.value().vision
        let workspace = EffectWorkspace(vision, layers: layers, capacity: model.batch, capturing: [.mlpInput])
        let lenses = try inputs.parts(lenses)
        let scratch = EffectScratch(lenses.map(\.lens), capacity: model.batch)
        let ablations = try zip(lenses, try inputs.parts(readings)).map { part, readings in
            let layerMeans = try means.layer(part.lens.layer).means
            return MeanAblation(
                CentredEffects(part.lens, factors: part.factors, means: layerMeans, scratch: scratch),
                means: layerMeans, thresholds: try directions.layer(part.lens.layer).thresholds, readings: readings,
                capacity: model.batch)
        }
        let indirect = IndirectAblation(
            vision, means: means.layers.mapValues(\.means.activations), capacity: model.batch)
        let classifier = try inputs[classifier].classifier
        return images.batches(workspace) { predictions, pass, first in
            try predictions.append(
                classify(pass, ablations, indirect, classifier, first: first, check: inputs.checkCancellation))
        }
    }

    /// Every condition of every layer.
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, and what `check` throws.
    private func classify(
        _ pass: EffectPass, _ ablations: [MeanAblation], _ indirect: IndirectAblation, _ classifier: ZeroShotClassifier,
        first: Int, check: () throws -> Void
    ) throws -> AblationPredictions {
        let batch = pass.batch
        var result = none
        let perImage = layers.count * AblationPredictions.conditions.count
        result.labels = [Int32](repeating: AblationPredictions.notRun, count: batch * perImage)
        result.margins = [Float](repeating: 0, count: batch * perImage)
        for (position, ablation) in ablations.enumerated() {
            let ablated = ablation.run(pass, firstImage: first, seed: UInt64(seed))
            var representations = AblationCondition.allCases.map { ablated.representations($0) }
            if resumed.contains(layers[position]) {
                try indirect.update(pass, layer: layers[position], check: check)
                representations.append(UnsafePointer(indirect.representations.base))
            }
            for (condition, vectors) in representations.enumerated() {
                let answers = classifier.classify(vectors, batch: batch)
                for image in 0..<batch {
                    guard let answer = answers[image] else {
                        throw ExperimentError.notFinite(
                            image: images.name.imageID(first + image),
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
