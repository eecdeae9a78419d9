import TorchCheckpoint

extension TorchCheckpoint: Weights {
    public var records: [String: WeightRecord] {
        tensors.mapValues { WeightRecord(type: $0.type, shape: $0.shape, path: path) }
    }
}
