import Foundation
import TestSupport

/// Specs of the other experiments at the size of ``SmallRun``, which share their fitted steps.
enum SmallSpecs {
    private static let study = """
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        layers: [0, 2]
        significant-images: 10
        images-per-shard: 16
        seed: 0

        """

    static let meanAblation =
        study + """
            experiment: mean-ablation
            evaluation: {dataset: emoji-scenes, split: val}
            controls: {accuracy-floor: 0.3}
            """

    static let sparseText =
        study + """
            experiment: sparse-text
            evaluation: {dataset: emoji-scenes, split: val}
            pools: [{name: own, file: pool.txt}, {name: captions, source: captions}]
            sizes: [1, 4]
            description: {pool: own, size: 4, neurons: 3}
            held-out-images: 32
            controls: {accuracy-floor: 0.3}
            """

    static let conceptDiscovery =
        study + """
            experiment: concept-discovery
            evaluation: {dataset: emoji-scenes, split: val}
            images: 48
            pools: [{name: own, file: pool.txt}]
            sizes: [1, 4]
            size: 4
            neuron-layers: [2]
            phrases: 3
            """

    static let segmentation =
        study + """
            experiment: segmentation
            evaluation: {dataset: emoji-scenes, split: seg}
            neurons: 5
            neuron-layers: [0, 2]
            overlays: 2
            sensitivity: {images: 8, neurons: [2, 5], thresholds: [0.5]}
            controls: {accuracy-floor: 0.3}
            """

    /// The `pool.txt` of these specs.
    static let pool = [
        "dog", "cat", "apple", "red", "green", "blue", "yellow", "face", "smile", "heart", "star", "moon", "sun", "car",
        "bus",
        "tree", "flower", "fish", "bird", "horse", "house", "hat", "shoe", "ball", "clock", "book", "key", "bell",
        "flag", "food",
    ].joined(separator: "\n")
}

/// Several specs in one folder, with their pool beside them.
struct SmallStudy {
    let folder: URL
    var specs: URL { folder.appendingPathComponent("specs") }
    var results: URL { folder.appendingPathComponent("results") }

    /// - Parameter texts: by file name.
    init(_ texts: [String: String], pool: String = SmallSpecs.pool) throws {
        folder = try ProcessFolder.make()
        try FileManager.default.createDirectory(at: specs, withIntermediateDirectories: true)
        for (name, text) in texts { try Data(text.utf8).write(to: specs.appendingPathComponent(name)) }
        try Data(pool.utf8).write(to: specs.appendingPathComponent("pool.txt"))
    }

    /// - Parameter names: of spec files; none stands for the whole folder.
    func arguments(_ names: [String] = [], _ extra: [String] = [], limit: Int = 96) -> [String] {
        let paths = names.isEmpty ? [specs.path] : names.map { specs.appendingPathComponent($0).path }
        return paths.flatMap { ["--spec", $0] } + ["--results", results.path, "--limit", "\(limit)"] + extra
    }

    func file(_ name: String) -> URL { results.appendingPathComponent(name) }

    /// Every file beside the database, by name.
    func files() throws -> [String: Data] {
        try FileManager.default.contentsOfDirectory(atPath: results.path)
            .filter { $0.hasSuffix(".csv") || $0.hasSuffix(".png") }
            .reduce(into: [:]) { $0[$1] = try Data(contentsOf: file($1)) }
    }
}
