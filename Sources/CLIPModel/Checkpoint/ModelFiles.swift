import Foundation
import Safetensors
import TorchCheckpoint

/// The file of weights that a path stands for, and whose format its name shows.
struct ModelFiles {
    let weights: URL
    /// nil where only the names of the tensors tell.
    let format: ModelFormat?

    /// Where configuration and vocabulary are looked for.
    var folder: URL { weights.deletingLastPathComponent() }

    /// Recognises what lies at a path.
    ///
    /// A file is that file. A folder must hold one model: the weights of Hugging Face beside a `config.json`, or
    /// those of OpenCLIP, or a single `.pt`. Weights that are there twice, as safetensors and as a pickle, are one
    /// model, whose safetensors are taken, as the libraries that save both do.
    ///
    /// - Throws: ``CheckpointError/missingFolder``, ``CheckpointError/missingWeights``,
    ///   ``CheckpointError/ambiguousFolder``.
    init(at url: URL) throws(CheckpointError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
            throw .missingFolder(path: url.path)
        }
        guard isFolder.boolValue else {
            self.init(weights: url, format: nil)
            return
        }
        try self.init(folder: url)
    }

    private init(weights: URL, format: ModelFormat?) {
        self.weights = weights
        self.format = format
    }

    private init(folder: URL) throws(CheckpointError) {
        let files = Set((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
        var found: [(name: String, format: ModelFormat?)] = []
        if files.contains("config.json") {
            let whole = Self.huggingFaceWeights.filter(files.contains)
            let sharded = whole.filter { $0.hasSuffix(Self.indexSuffix) }
            // A file and an index are two saves, one of which is out of date.
            if let index = sharded.first, let file = whole.first(where: { !$0.hasSuffix(Self.indexSuffix) }) {
                throw .ambiguousFolder(path: folder.path, files: [file, index])
            }
            if let name = whole.first { found.append((name, .huggingFace)) }
        }
        if let name = Self.openCLIPWeights.first(where: files.contains) { found.append((name, .openCLIP)) }
        let published = files.filter { $0.hasSuffix(".pt") && !Self.trainingState.contains($0) }
        found += published.sorted().map { ($0, nil) }

        guard let only = found.first else {
            throw .missingWeights(path: folder.path, expected: Self.expected(files))
        }
        guard found.count == 1 else { throw .ambiguousFolder(path: folder.path, files: found.map(\.name)) }
        self.init(weights: folder.appendingPathComponent(only.name), format: only.format)
    }

    // MARK: - Names

    static let indexSuffix = ".index.json"
    private static let huggingFaceWeights = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ]
    private static let openCLIPWeights = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    /// What trainers leave beside a model.
    private static let trainingState: Set<String> = ["optimizer.pt", "scheduler.pt"]

    /// The weights that a folder with these files seems to lack.
    private static func expected(_ files: Set<String>) -> String {
        if files.contains("config.json") { return huggingFaceWeights[0] }
        if files.contains(StatedConfiguration.openCLIPFile) { return openCLIPWeights[0] }
        return "\(huggingFaceWeights[0]), \(openCLIPWeights[0]) or *.pt"
    }

    // MARK: - Opening

    /// Opens the weights: safetensors, an index of shards, or what PyTorch saved.
    /// - Throws: what the reader of the format throws.
    func open() throws -> any Weights {
        if weights.lastPathComponent.hasSuffix(Self.indexSuffix) {
            return try ShardedWeights(index: weights, open: Self.open)
        }
        return try Self.open(weights)
    }

    private static func open(_ url: URL) throws -> any Weights {
        url.pathExtension == "safetensors" ? try SafetensorsFile(contentsOf: url) : try TorchCheckpoint(contentsOf: url)
    }
}
