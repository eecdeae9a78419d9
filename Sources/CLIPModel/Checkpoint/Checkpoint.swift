import DenseMath
import Safetensors

/// The weights of a CLIP, checked against an architecture: every parameter is there, has its shape and a type of
/// numbers that weights have, and nothing else is there. That each is finite is checked when it is read.
///
/// Every parameter is converted straight into the memory that the model keeps; only the two projections, which
/// openai/CLIP stores the other way round, are copied once more.
struct Checkpoint {
    private let weights: any Weights
    private let naming: ParameterNaming
    private let records: [String: WeightRecord]

    /// - Throws: ``ConfigurationError/parametersDisagree``, ``CheckpointError/unsupportedType``.
    init(_ weights: any Weights, naming: ParameterNaming, configuration: CLIPConfiguration) throws {
        self.weights = weights
        self.naming = naming
        records = weights.records
        try configuration.check(shapes: records.mapValues(\.shape), naming: naming, path: weights.path)
        for (name, _) in configuration.expectedShapes(naming) {
            guard let record = records[name], ![.float16, .bfloat16, .float32].contains(record.type) else { continue }
            throw CheckpointError.unsupportedType(path: record.path, tensor: name, found: record.type.rawValue)
        }
    }

    // MARK: - Tensors

    private func shape(_ name: String) -> [Int] { records[name]?.shape ?? [] }

    private func read(_ name: String, into target: UnsafeMutableBufferPointer<Float>) throws {
        try weights.tensor(name).copyFloats(to: target)
        // Branch-free over all, because nearly always all are finite.
        let exponent: UInt32 = 0x7F80_0000
        var defects: UInt32 = 0
        for value in target { defects |= value.bitPattern & exponent == exponent ? 1 : 0 }
        if defects > 0, let index = target.firstIndex(where: { !$0.isFinite }) {
            throw CheckpointError.notFinite(path: records[name]?.path ?? weights.path, tensor: name, index: index)
        }
    }

    /// The elements of several tensors, one after the other.
    private func floats(_ names: [String]) throws -> [Float] {
        let counts = names.map { shape($0).reduce(1, *) }
        return try [Float](unsafeUninitializedCapacity: counts.reduce(0, +)) { buffer, initialized in
            for (name, count) in zip(names, counts) {
                try read(name, into: UnsafeMutableBufferPointer(rebasing: buffer[initialized..<initialized + count]))
                initialized += count
            }
        }
    }

    private func floats(_ name: String) throws -> [Float] { try floats([name]) }

    /// The tensor with all dimensions after the first folded into one.
    private func matrix(_ name: String) throws -> Tensor {
        let shape = shape(name)
        return Tensor(shape: [shape.first ?? 1, shape.dropFirst().reduce(1, *)], elements: try floats(name))
    }

    // MARK: - Layers

    private func norm(_ name: String, epsilon: Float) throws -> LayerNorm {
        LayerNorm(weight: try floats("\(name).weight"), bias: try floats("\(name).bias"), epsilon: epsilon)
    }

    private func linear(_ name: String) throws -> Linear {
        Linear(weight: try matrix("\(name).weight"), bias: try floats("\(name).bias"))
    }

    private func queryKeyValue(_ names: BlockNames.QueryKeyValue, width: Int) throws -> Linear {
        let (weights, biases) =
            switch names {
            case .apart(let parts): (parts.map { "\($0).weight" }, parts.map { "\($0).bias" })
            case .stacked(let weight, let bias): ([weight], [bias])
            }
        return Linear(
            weight: Tensor(shape: [3 * width, width], elements: try floats(weights)), bias: try floats(biases))
    }

    // MARK: - Towers

    func logitScale() throws -> Float { try floats(naming.logitScale).first ?? 0 }

    func classEmbedding() throws -> [Float] { try floats(naming.classEmbedding) }

    func patchEmbedding() throws -> Tensor { try matrix(naming.patchEmbedding) }

    func tokenEmbedding() throws -> Tensor { try matrix(naming.tokenEmbedding) }

    func positionEmbedding(_ tower: ParameterNaming.Tower) throws -> Tensor {
        try matrix(naming.positionEmbedding(tower))
    }

    func inputNorm(epsilon: Float) throws -> LayerNorm { try norm(naming.inputNorm, epsilon: epsilon) }

    func readout(_ tower: ParameterNaming.Tower, epsilon: Float) throws -> Readout {
        let projection = try matrix(naming.projection(tower))
        return Readout(
            norm: try norm(naming.outputNorm(tower), epsilon: epsilon),
            projection: naming.hasTransposedProjections ? projection.transposed() : projection)
    }

    func block(
        _ tower: ParameterNaming.Tower, _ layer: Int, width: Int, heads: Int, activation: Activation, epsilon: Float
    ) throws -> TransformerBlock {
        let names = naming.block(tower, layer)
        return TransformerBlock(
            heads: heads,
            attentionNorm: try norm(names.attentionNorm, epsilon: epsilon),
            queryKeyValue: try queryKeyValue(names.queryKeyValue, width: width),
            attentionOutput: try linear(names.attentionOutput),
            mlpNorm: try norm(names.mlpNorm, epsilon: epsilon),
            mlpInput: try linear(names.mlpInput),
            activation: activation,
            mlpOutput: try linear(names.mlpOutput))
    }
}

/// What can be wrong with a model's files beyond the format of each and what its configuration says. Facts only.
public enum CheckpointError: Error, Equatable, Sendable {
    /// There is neither a folder nor a file at this path.
    case missingFolder(path: String)
    case missingWeights(path: String, expected: String)
    /// A folder holds more than one model: these files of weights.
    case ambiguousFolder(path: String, files: [String])
    /// Nothing tells the architecture of these weights: this file should stand beside them.
    case missingConfiguration(path: String, expected: String)
    /// The names of the tensors are those of no CLIP; some of them.
    case unknownNames(path: String, examples: [String])
    /// The architecture cannot be read off the weights, because this tensor is missing (`found` is nil) or has a
    /// shape of another kind.
    case cannotInfer(path: String, tensor: String, found: [Int]?, expected: String)

    /// The index of a sharded checkpoint names a file that is not there.
    case missingShard(path: String, shard: String)
    /// The index says that a tensor is in a shard that does not have it.
    case tensorNotInShard(path: String, tensor: String, shard: String)
    /// A tensor is in the shard that the index names, and in another.
    case tensorInTwoShards(path: String, tensor: String, shards: [String])
    /// A shard has a tensor that the index does not list.
    case tensorNotInIndex(path: String, tensor: String, shard: String)

    /// The tensor has an element type that weights do not have.
    case unsupportedType(path: String, tensor: String, found: String)
    case notFinite(path: String, tensor: String, index: Int)
}
