import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Lens
import Pipeline
import Safetensors
import TestSupport

@testable import Experiments

/// A tiny random model and random images with which steps are computed by themselves, and the literal formulas beside them.
final class StepSample {
    static let size = 8
    static let fitCount = 14
    static let kept = 5
    static let perShard = 5

    let model: StudyModel
    let vision: VisionTransformer
    var given = GivenInputs()
    let fit: ImageSource
    let evaluation: ImageSource
    let fitPixels: [UInt8]
    let evaluationPixels: [UInt8]
    let masks: [[UInt8]]
    private let folder: TinyModelFolder
    private let places: TemporaryFolder

    // Texts are short: the model's context has room for six bytes.

    /// Layers whose neurons are read by a later attention layer.
    let layers = [0, 1, 2]
    let classNames = ["ant", "bee", "cat", "dog", "elk"]
    var neurons: Int { vision.configuration.mlpWidth }
    var width: Int { vision.embeddingWidth }

    init() throws {
        folder = try TinyModelFolder(layers: 4)
        try folder.write(
            "preprocessor_config.json",
            #"{"size": {"shortest_edge": 8}, "crop_size": 8, "image_mean": [0.48, 0.46, 0.41], "image_std": [0.27, 0.26, 0.28]}"#
        )
        // Norms about 1 and larger weights: else all tokens are attended to alike, and no effect stands out.
        try folder.writeWeights { tensors in
            for (name, tensor) in tensors where name.hasSuffix("weight") {
                let values = try tensor.floats()
                tensors[name] = try StoredTensor(
                    name.contains("norm") ? values.map { $0 + 1 } : values.map { $0 * 3 }, shape: tensor.shape)
            }
        }
        places = try TemporaryFolder()
        let manifest = places.url.appendingPathComponent("datasets.manifest")
        try Data(#"{"models": {}, "datasets": {}}"#.utf8).write(to: manifest)
        let context = ExperimentContext(manifest: try DatasetsManifest(contentsOf: manifest))
        model = try context.opened.model(.init(reference: .at(folder.url), passOrder: .pillow13))
        vision = try model.clip.value().vision

        var random = SplitMix64(seed: 41)
        masks = (0..<Self.fitCount).map { _ in
            (0..<Self.size * Self.size).map { _ in [0, 1, 1, 2, 255][random.below(5)] }
        }
        fitPixels = RandomVision.images(Self.fitCount, of: vision.configuration, seed: 21)
        evaluationPixels = RandomVision.images(7, of: vision.configuration, seed: 22)
        fit = try Self.source("fit", fitPixels, masks, &given)
        evaluation = try Self.source("val", evaluationPixels, masks, &given)
    }

    deinit { try? FileManager.default.removeItem(at: folder.url) }

    private static func source(
        _ split: String, _ pixels: [UInt8], _ masks: [[UInt8]], _ given: inout GivenInputs
    ) throws -> ImageSource {
        let bytes = 3 * size * size
        let count = pixels.count / bytes
        // Three to a shard, so that the shards of a step are none of those that it reads.
        let shards = stride(from: 0, to: count, by: 3).map { start in
            var shard = ImageShard(imageSize: size)
            for image in start..<min(start + 3, count) {
                shard.append(
                    RGBImage(width: size, height: size, pixels: Array(pixels[image * bytes..<(image + 1) * bytes])),
                    mask: masks[image], label: image % 5, objects: [image % 5, (image + 2) % 5],
                    caption: "p\(image % 6)")
            }
            return shard
        }
        let images = try given.add(Shards(shards, units: count, unitsPerShard: 3))
        let facts = try given.add(ImageFactsStep(images: images, label: split).result(of: given))
        return ImageSource(
            .init(images: images, facts: facts, count: count), perShard: perShard,
            name: ImageSet(dataset: "d", split: split),
            digest: nil)
    }

    /// Computes a step, and gives its result to those that follow.
    func compute<Definition: StepDefinition>(_ definition: Definition) throws -> (
        StepHandle<Definition.Output>, Definition.Output
    ) {
        let result = try definition.result(of: given)
        return (try given.add(result), result)
    }

    /// The means, largest effects and directions of all layers.
    func fitted() throws -> Study.Fitted {
        let first = try compute(FirstEffectSumsStep(model: model, layers: layers, images: fit, count: Self.perShard)).0
        let means = try compute(
            EffectMeansStep(
                model: model, layers: layers, images: fit, first: first, firstCount: Self.perShard, count: Self.kept)
        ).0
        let largest = try compute(
            LargestEffectsStep(model: model, layers: layers, images: fit, means: means, count: Self.kept)
        ).0
        return Study.Fitted(
            means: means, largest: largest,
            directions: try compute(
                PrincipalDirectionsStep(model: model, layers: layers, largest: largest, count: Self.kept)
            ).0)
    }

    func classifier() throws -> (StepHandle<StoredClassifier>, StoredClassifier) {
        try compute(ClassifierStep(model: model, names: classNames, templates: ["a {}", "{}!"]))
    }

    // MARK: The formulas

    func literal(_ pixels: [UInt8]) -> [LiteralVision] {
        let bytes = 3 * Self.size * Self.size
        return stride(from: 0, to: pixels.count, by: bytes).map {
            LiteralVision(vision, image: pixels[$0..<$0 + bytes])
        }
    }

    /// What the formulas make of one layer of the fit set.
    struct Dense {
        /// φ̄_n. // [N][d]
        let mean: [[Double]]
        /// ‖φ_n − φ̄_n‖. // [N][images]
        let norms: [[Double]]
        /// Fit images with the largest norms, largest first. // [N][C]
        let chosen: [[Int]]
        /// φ_n − φ̄_n of the fit images. // [images][N][d]
        let centred: [[[Double]]]
        /// r_n and the share of the second moments along it. // [N]
        let directions: [(vector: [Double], share: Double)]

        var thresholds: [Double] { norms.indices.map { norms[$0][chosen[$0][chosen[$0].count - 1]] } }

        /// φ_n − φ̄_n of another image. // [N][d]
        func centred(_ image: LiteralVision, layer: Int) -> [[Double]] {
            mean.indices.map { n in zip(image.secondOrderEffect(layer: layer, neuron: n), mean[n]).map { $0 - $1 } }
        }
    }

    func dense(layer: Int, _ images: [LiteralVision]) -> Dense {
        let phi = images.map { image in (0..<neurons).map { image.secondOrderEffect(layer: layer, neuron: $0) } }
        let mean = (0..<neurons).map { n in
            (0..<width).map { j in phi.reduce(0) { $0 + $1[n][j] } / Double(phi.count) }
        }
        let centred = phi.map { image in (0..<neurons).map { n in zip(image[n], mean[n]).map { $0 - $1 } } }
        let norms = (0..<neurons).map { n in centred.map { $0[n].length } }
        let chosen = norms.map { norms in Array(norms.indices.sorted { norms[$0] > norms[$1] }.prefix(Self.kept)) }
        return Dense(
            mean: mean, norms: norms, chosen: chosen, centred: centred,
            directions: (0..<neurons).map { n in Self.firstSingularVector(chosen[n].map { centred[$0][n] }) })
    }

    /// By power iteration, signed by the majority of the rows.
    static func firstSingularVector(_ rows: [[Double]]) -> (vector: [Double], share: Double) {
        var r = [Double](repeating: 1, count: rows[0].count)
        for _ in 0..<20_000 {
            var next = [Double](repeating: 0, count: r.count)
            for row in rows {
                let projection = row.dot(r)
                for j in r.indices { next[j] += projection * row[j] }
            }
            let length = next.length
            r = next.map { $0 / length }
        }
        let projections = rows.map { $0.dot(r) }
        if 2 * projections.count(where: { $0 > 0 }) < rows.count { r = r.map { -$0 } }
        return (r, projections.dot(projections) / rows.reduce(0) { $0 + $1.dot($1) })
    }

    /// The best class and its lead over the next.
    func answer(_ representation: [Double], _ classifier: Tensor) -> (label: Int, margin: Double) {
        let scores = (0..<classifier.shape[0]).map { representation.dot(classifier[row: $0].map(Double.init)) }
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        return (order[0], scores[order[0]] - scores[order[1]])
    }
}

extension LiteralVision {
    /// c·r(I), of length 100.
    var scaled: [Double] { representation.map { $0 * scale } }
}

extension [Double] {
    func dot(_ other: [Double]) -> Double { zip(self, other).reduce(0) { $0 + $1.0 * $1.1 } }
    var length: Double { dot(self).squareRoot() }
    static func - (a: [Double], b: [Double]) -> [Double] { zip(a, b).map { $0 - $1 } }
    /// Not the operator, which puts arrays one after the other.
    func plus(_ other: [Double]) -> [Double] { zip(self, other).map { $0 + $1 } }
}
