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
