import Attribution
import CLIPModel
import DenseMath
import Foundation
import Pipeline

/// Mean average precision over labels, with its interval: computed once, because all labels are ranked for it.
struct RecognitionPrecisions: Artefact, Codable {
    struct Item: Codable {
        var score: RecognitionScore
        var subset: RecognitionSubset
        var images: Int
        /// Labels that the images show.
        var labels: Int
        var meanAP: Double
        var interval: Metric.Interval?
    }

    /// How much better one score ranks than another, the same images left out for both.
    struct Gain: Codable {
        var score: RecognitionScore
        var over: RecognitionScore
        var subset: RecognitionSubset
        var images: Int
        var labels: Int
        var meanAP: Double
        var interval: Metric.Interval?
    }

    var items: [Item]
    var gains: [Gain] = []
}

/// The images that are ranked.
enum RecognitionSubset: String, CaseIterable, Codable, Sendable {
    case all
    /// Those that show several labels.
    case several = "several labels"
}

/// Measures ``RecognitionPrecisions``.
struct RecognitionPrecisionsStep: StepDefinition {
    let model: StudyModel
    let similarities: StepHandle<LabelSimilarities>
    let facts: StepHandle<ImageFacts>
    let seed: Int

    func step() throws -> Step<RecognitionPrecisions> {
        Step(
            kind: "recognition-precisions", version: 3, parameters: ["seed": .integer(seed)],
            inputs: [similarities.erased, facts.erased], digests: ["model": model.digest],
            work: try .map(
                units: RecognitionSubset.allCases.count, unitsPerShard: 1,
                makeWorker: { inputs in
                    let (cosines, facts) = (try inputs[similarities].cosines, try inputs[facts])
                    let logitScale = exp(try model.clip.value().logitScale)
                    return { shard in
                        let subset = RecognitionSubset.allCases[shard.units.lowerBound]
                        let chosen = facts.objects.indices.filter { subset == .all || Self.shown(facts, $0).count > 1 }
                        return try Self.precisions(
                            subset, cosines: chosen.map { Array(cosines[row: $0]) },
                            shown: chosen.map { Self.shown(facts, $0) },
                            logitScale: logitScale, seed: seed, check: inputs.checkCancellation)
                    }
                },
                reduce: { _, parts in
                    var all = RecognitionPrecisions(items: [])
                    try parts.forEach { _, part in
                        all.items += part.items
                        all.gains += part.gains
                    }
                    return all
                }))
    }

    private static func shown(_ facts: ImageFacts, _ image: Int) -> Set<Int32> {
        Set(facts.objects[image]).filter { $0 >= 0 }
    }

    /// Every score's precision, and what feature surgery gains over the paper's baseline.
    /// - Parameters:
    ///   - cosines: // [images][vocabulary]
    ///   - shown: labels of each image.
    static func precisions(
        _ subset: RecognitionSubset, cosines: [[Float]], shown: [Set<Int32>], logitScale: Float, seed: Int,
        check: () throws -> Void = {}
    ) throws -> RecognitionPrecisions {
        // A label that no image shows has no precision.
        let labels = (0..<(cosines.first?.count ?? 0)).filter { label in shown.contains { $0.contains(Int32(label)) } }
        let rankings = try RecognitionScore.allCases.map { score in
            let scores = cosines.map { score.scores($0, logitScale: logitScale) }
            return try labels.map { label in
                try check()
                return Ranking(scores: scores.map { $0[label] }, labels: shown.map { $0.contains(Int32(label)) })
            }
        }
        func means(_ counts: [Bool]) -> [Double] {
            rankings.map { rankings in rankings.map { $0.averagePrecision(of: counts) }.filter { !$0.isNaN }.mean }
        }
        func place(_ score: RecognitionScore) -> Int { RecognitionScore.allCases.firstIndex(of: score) ?? 0 }
        func gain(_ means: [Double]) -> Double { means[place(.featureSurgery)] - means[place(.softmax)] }
        let whole = means([Bool](repeating: true, count: cosines.count))
        // Most labels of a large vocabulary have few images.
        let intervals = Jackknife(seed: UInt64(seed), bounds: -1...1).intervals(of: cosines.count) { counts in
            let means = means(counts)
            return means + [gain(means)]
        }
        return RecognitionPrecisions(
            items: RecognitionScore.allCases.enumerated().map { index, score in
                .init(
                    score: score, subset: subset, images: cosines.count, labels: labels.count, meanAP: whole[index],
                    interval: intervals[index].map { $0.clipped(to: 0...1) })
            },
            gains: [
                .init(
                    score: .featureSurgery, over: .softmax, subset: subset, images: cosines.count, labels: labels.count,
                    meanAP: gain(whole), interval: intervals[whole.count])
            ])
    }
}

/// What images are ranked by for a label.
enum RecognitionScore: String, CaseIterable, Sendable, Codable {
    /// Softmax over all labels at the model's logit scale: the paper's baseline.
    case softmax
    /// The cosine itself.
    case cosine
    /// Feature surgery of the class token.
    case featureSurgery = "feature-surgery"

    /// The scores of all labels.
    /// - Parameter cosines: of the class token with every label. // [K]
    func scores(_ cosines: [Float], logitScale: Float) -> [Float] {
        switch self {
        case .cosine: return cosines
        case .featureSurgery:
            return FeatureSurgery.amongLabels(Tensor(shape: [1, cosines.count], elements: cosines), of: cosines[...])
                .elements
        case .softmax:
            let largest = cosines.max() ?? 0
            let exponentials = cosines.map { exp(Double(logitScale * ($0 - largest))) }
            let sum = exponentials.reduce(0, +)
            return exponentials.map { Float($0 / sum) }
        }
    }
}

/// Cosines of every image's class token with every label.
struct LabelSimilarities: ColumnTable {
    /// // [images, K]
    var cosines = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [.rows("cosines", \.cosines)]
}

/// Compares every image with every label.
struct LabelSimilaritiesStep: ImageStep {
    typealias Output = LabelSimilarities
    static let (kind, version) = ("label-similarities", 1)

    let study: PictureStudy
    let classifier: StepHandle<StoredClassifier>

    var model: StudyModel { study.model }
    var images: ImageSource { study.images }
    var parameters: Parameters { ["images": .integer(images.count), "input-size": .integer(study.inputSize)] }
    var inputs: [AnyStepHandle] { [classifier.erased] }
    var memory: MemoryEstimate? { model.surgeryMemory(inputSize: study.inputSize) }
    var cost: CostEstimate? { model.surgeryCost(inputSize: study.inputSize, paths: 0) }
    var none: LabelSimilarities { LabelSimilarities() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<LabelSimilarities> {
        let reader = TokenReader(
            try model.clip.value().vision.resized(to: study.inputSize), [.clip],
            classifier: try inputs[classifier].weights)
        return images.each { part, image in
            let row = try reader.run(images.reader, image, of: images.set).ofImage(.clip)
            try part.append(LabelSimilarities(cosines: Tensor(shape: [1, row.count], elements: row)))
        }
    }
}
