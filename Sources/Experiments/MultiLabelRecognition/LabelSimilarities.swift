import CLIPModel
import DenseMath
import Pipeline
import Safetensors

/// Cosines of every image's class token with every label.
struct LabelSimilarities: Artefact {
    /// // [images, K]
    let cosines: Tensor

    init(_ cosines: Tensor) { self.cosines = cosines }

    init(_ stored: StoredArtefact) throws { cosines = try stored.numbers("cosines", dimensions: 2) }

    func stored() throws -> StoredArtefact { .tensors(["cosines": try cosines.stored()]) }
}

enum LabelSimilaritiesStep {
    static func add(
        _ study: PictureStudy, classifier: StepHandle<StoredClassifier>, in graph: inout Graph
    ) throws -> StepHandle<LabelSimilarities> {
        let (images, model, inputSize) = (study.images, study.model, study.inputSize)
        return try graph.add(
            Step(
                kind: "label-similarities", version: 1,
                parameters: ["images": .integer(images.count), "input-size": .integer(inputSize)],
                inputs: [images.images.erased, classifier.erased], digests: ["model": model.digest],
                memory: model.surgeryMemory(inputSize: inputSize), cost: model.surgeryCost(inputSize: inputSize, paths: 0),
                work: .map(
                    units: images.count, unitsPerShard: images.perShard,
                    makeWorker: { inputs in
                        let reader = ImageReader(try inputs[images.images])
                        let tokens = TokenReader(
                            try model.clip.value().vision.resized(to: inputSize), [.clip],
                            classifier: try inputs[classifier].classifier.weights)
                        return { shard in
                            var rows: [Float] = []
                            for image in shard.units {
                                try inputs.checkCancellation()
                                try tokens.run(reader, image, of: images.name)
                                rows += try tokens.similarities(.clip)[row: 0]
                            }
                            return LabelSimilarities(
                                Tensor(shape: [shard.units.count, rows.count / max(shard.units.count, 1)], elements: rows))
                        }
                    },
                    reduce: { _, shards in
                        var rows: [Float] = []
                        try shards.forEach { _, part in rows += part.cosines.elements }
                        return LabelSimilarities(
                            Tensor(shape: [images.count, rows.count / max(images.count, 1)], elements: rows))
                    })))
    }
}
