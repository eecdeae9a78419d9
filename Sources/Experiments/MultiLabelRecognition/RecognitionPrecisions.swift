import Attribution
import CLIPModel
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

    var items: [Item]
}

/// The images that are ranked.
enum RecognitionSubset: String, CaseIterable, Codable, Sendable {
    case all
    /// Those that show several labels.
    case several = "several labels"
}

enum RecognitionPrecisionsStep {
    static func add(
        _ study: PictureStudy, similarities: StepHandle<LabelSimilarities>, in graph: inout Graph
    ) throws -> StepHandle<RecognitionPrecisions> {
        let (images, model, seed) = (study.images, study.model, study.setting.seed)
        return try graph.add(
            Step(
                kind: "recognition-precisions", version: 2, parameters: ["seed": .integer(seed)],
                inputs: [similarities.erased, images.facts.erased], digests: ["model": model.digest],
                work: .map(
                    units: units.count, unitsPerShard: 1,
                    makeWorker: { inputs in
                        let (cosines, facts) = (try inputs[similarities].cosines, try inputs[images.facts])
                        let logitScale = exp(try model.clip.value().logitScale)
                        return { shard in
                            RecognitionPrecisions(
                                items: try units[shard.units].map { score, subset in
                                    let chosen = facts.objects.indices.filter { subset == .all || shown(facts, $0).count > 1 }
                                    let scores = chosen.map { score.scores(Array(cosines[row: $0]), logitScale: logitScale) }
                                    return try precision(
                                        score, subset, scores: scores, shown: chosen.map { shown(facts, $0) },
                                        vocabulary: cosines.rowCount, seed: seed, check: inputs.checkCancellation)
                                })
                        }
                    },
                    reduce: { _, shards in
                        var all = RecognitionPrecisions(items: [])
                        try shards.forEach { _, part in all.items += part.items }
                        return all
                    })))
    }

    private static let units = RecognitionScore.allCases.flatMap { score in RecognitionSubset.allCases.map { (score, $0) } }

    private static func shown(_ facts: ImageFacts, _ image: Int) -> Set<Int32> { Set(facts.objects[image]).filter { $0 >= 0 } }

    /// - Parameters:
    ///   - scores: // [images][vocabulary]
    ///   - shown: labels of each image.
    static func precision(
        _ score: RecognitionScore, _ subset: RecognitionSubset, scores: [[Float]], shown: [Set<Int32>], vocabulary: Int, seed: Int,
        check: () throws -> Void = {}
    ) throws -> RecognitionPrecisions.Item {
        // A label that no image shows has no precision.
        var rankings: [Ranking] = []
        for label in 0..<vocabulary {
            try check()
            let isShown = shown.map { $0.contains(Int32(label)) }
            guard isShown.contains(true) else { continue }
            rankings.append(Ranking(scores: scores.map { $0[label] }, labels: isShown))
        }
        func mean(_ counts: [Bool]) -> Double {
            rankings.map { $0.averagePrecision(of: counts) }.filter { !$0.isNaN }.mean
        }
        return RecognitionPrecisions.Item(
            score: score, subset: subset, images: scores.count, labels: rankings.count,
            meanAP: mean([Bool](repeating: true, count: scores.count)),
            // Most labels of a large vocabulary have few images.
            interval: Jackknife(seed: UInt64(seed)).intervals(of: scores.count) { [mean($0)] }[0])
    }
}
