import Attribution
import Pipeline

enum OpenVocabularyStep {
    private static let imagesPerShard = 50

    /// Every pixel's label by every case, against the masks.
    static func add(
        _ study: PictureStudy, depth: Int, classifier: StepHandle<StoredClassifier>, in graph: inout Graph
    ) throws -> StepHandle<OpenVocabularyScores> {
        let (images, model, size) = (study.images, study.model, study.inputSize)
        let cases = OpenVocabularyCase.all(depth: depth)
        return try graph.add(
            Step(
                kind: "open-vocabulary-segmentation", version: 1,
                parameters: [
                    "cases": .texts(cases.map { "\($0.reading.key), \($0.choice.rawValue)" }), "input-size": .integer(size),
                    "images": .integer(images.count),
                ],
                inputs: [images.images.erased, images.facts.erased, classifier.erased], digests: ["model": model.digest],
                memory: model.surgeryMemory(inputSize: size),
                cost: model.surgeryCost(inputSize: size, paths: Double(cases.count)),
                work: .map(
                    units: images.count, unitsPerShard: imagesPerShard,
                    makeWorker: { inputs in
                        let (reader, facts) = (ImageReader(try inputs[images.images]), try inputs[images.facts])
                        let segmenter = try LabelSegmenter(
                            model.clip.value(), OpenVocabularyCase.readings(depth: depth),
                            classifier: inputs[classifier].classifier.weights, size: size)
                        return { shard in
                            var scores = OpenVocabularyScores(cases: cases.count)
                            for image in shard.units {
                                try inputs.checkCancellation()
                                let answer = try segmenter.run(reader, image, of: images.name)
                                scores.appendImage(predicted: answer.label, margin: answer.margin)
                                let mask = try reader.mask(image)
                                let shown = ShownLabels.of(facts[image], mask: mask)
                                let truth = ShownLabels.labels(facts[image], mask: mask)
                                for item in cases {
                                    switch item.choice {
                                    case .all where !shown.isEmpty:
                                        scores.append(found: try segmenter.labels(item.reading, among: nil), shown: truth)
                                    case .shown where shown.count > 1:
                                        scores.append(found: try segmenter.labels(item.reading, among: shown), shown: truth)
                                    default: scores.appendNothing()
                                    }
                                }
                            }
                            return scores
                        }
                    },
                    reduce: { _, shards in
                        var all = OpenVocabularyScores(cases: cases.count)
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }
}
