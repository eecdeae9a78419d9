import CLIPModel
import DenseMath
import Lens
import Pipeline
import Safetensors

/// What of equation (3) depends on the image, for some neurons of one layer and a batch of images. The coordinates stay in
/// their file, of which some neurons are read at a time.
struct HeadCoordinates: Artefact {
    /// b. // [images, d]
    let biasShares: Tensor
    /// c·r. // [images, d]
    let representations: Tensor
    /// s. // [neurons, images, K]
    private let coordinates: StoredTensor

    init(coordinates: Tensor, biasShares: Tensor, representations: Tensor) throws {
        (self.biasShares, self.representations) = (biasShares, representations)
        self.coordinates = try coordinates.stored()
    }

    /// - Throws: `PipelineError.invalidArtefact`, `SafetensorsError`.
    init(_ stored: StoredArtefact) throws {
        func tensor(_ name: String, dimensions: Int) throws -> StoredTensor {
            let tensor = try stored.tensor(name)
            guard tensor.shape.count == dimensions else {
                throw PipelineError.invalidArtefact(part: name, reason: "shape \(tensor.shape)")
            }
            return tensor
        }
        let (shares, representations) = (
            try tensor("bias-shares", dimensions: 2), try tensor("representations", dimensions: 2)
        )
        coordinates = try tensor("coordinates", dimensions: 3)
        guard shares.shape == representations.shape, shares.shape[0] == coordinates.shape[1] else {
            throw PipelineError.invalidArtefact(
                part: "coordinates", reason: "shape \(coordinates.shape) beside \(shares.shape)")
        }
        biasShares = Tensor(shape: shares.shape, elements: try shares.floats())
        self.representations = Tensor(shape: shares.shape, elements: try representations.floats())
    }

    func stored() throws -> StoredArtefact {
        .tensors([
            "coordinates": coordinates, "bias-shares": try biasShares.stored(),
            "representations": try representations.stored(),
        ])
    }

    /// s of some of the neurons, by their places. // [neurons, images, K]
    /// - Throws: `SafetensorsError`.
    func coordinates(of places: Range<Int>) throws -> [Float] { try coordinates[rows: places].floats() }
}

/// Computes ``HeadCoordinates``, a batch of images at a time.
struct HeadCoordinatesStep: StepDefinition {
    let model: StudyModel
    let layer: Int
    let neurons: [Int]
    let images: ImageSource

    func step() throws -> Step<Shards<HeadCoordinates>> {
        Step(
            kind: "head-coordinates", version: 1,
            parameters: ["layer": .integer(layer), "neurons": .integers(neurons)],
            inputs: [images.images.erased], digests: ["model": model.digest],
            memory: model.memory(layers: [layer]).adding(
                parts: 4 * neurons.count * model.batch
                    * (model.configuration.vision.layers - 1 - layer) * model.configuration.vision.heads),
            cost: model.passCost(layers: [layer]) { $0.sums($1) },
            work: try .shards(
                units: images.count, unitsPerShard: model.batch,
                makeWorker: { inputs in
                    let lens = try model.lens(layer)
                    let workspace = EffectWorkspace(
                        try model.clip.value().vision, layers: [layer], capacity: model.batch)
                    let all = FloatBuffer(lens.neurons * model.batch * lens.headCount)
                    let shares = FloatBuffer(model.batch * lens.embeddingWidth)
                    let add = try ImageRuns(images, inputs).batches(workspace) {
                        (part: inout HeadCoordinates?, pass, _) in
                        pass.coordinates(lens, into: all.base)
                        pass.biasShares(lens, into: shares.base)
                        part = try HeadCoordinates(
                            neurons, of: all.base, batch: pass.batch, lens, biasShares: shares.base,
                            representations: pass.representations)
                    }
                    return { shard in
                        var part: HeadCoordinates?
                        try add(shard.units, &part)
                        guard let part else { preconditionFailure("shard \(shard.index) has no image") }
                        return part
                    }
                }))
    }
}

extension HeadCoordinates {
    /// - Parameters:
    ///   - all: s of every neuron. // [N, batch, K]
    ///   - biasShares: // [batch, d]
    ///   - representations: // [batch, d]
    fileprivate init(
        _ neurons: [Int], of all: UnsafePointer<Float>, batch: Int, _ lens: SecondOrderLens,
        biasShares: UnsafePointer<Float>, representations: UnsafePointer<Float>
    ) throws {
        let (size, d) = (batch * lens.headCount, lens.embeddingWidth)
        func rows(_ values: UnsafePointer<Float>) -> Tensor {
            Tensor(shape: [batch, d], elements: Array(UnsafeBufferPointer(start: values, count: batch * d)))
        }
        try self.init(
            coordinates: Tensor(
                shape: [neurons.count, batch, lens.headCount],
                elements: neurons.flatMap { UnsafeBufferPointer(start: all + $0 * size, count: size) }),
            biasShares: rows(biasShares), representations: rows(representations))
    }
}
