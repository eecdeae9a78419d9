import Attribution
import CLIPModel
import DenseMath
import Pipeline
import Safetensors

/// What CLIP Surgery says of the tower itself: that patches of an object attend to unlike regions, but to their own where
/// values are compared with values; and that the class token stays as it was.
struct AttentionWithinLabels: Artefact {
    /// Who attends to whom, and what attending to all patches alike would give.
    enum Kind: String, CaseIterable, Sendable {
        case queryKey = "query-key"
        case valueValue = "value-value"
        case area = "area"
    }

    /// Labels that count for an image. // [images]
    private(set) var pairCounts: [Int32] = []
    /// // [pairs, kinds]
    private(set) var shares: [Float] = []
    /// ‖e′ − e‖/‖e‖ of the class token's embedding with and without surgery. // [images]
    private(set) var classTokenChanges: [Float] = []

    init() {}

    init(_ stored: StoredArtefact) throws {
        let table = try stored.numbers("shares", dimensions: 2)
        (pairCounts, classTokenChanges) = (try stored.tensor("pair-counts").int32s(), try stored.list("class-token-changes"))
        shares = table.elements
        guard table.shape[1] == Kind.allCases.count, pairCounts.allSatisfy({ $0 >= 0 }), classTokenChanges.count == pairCounts.count,
            pairCounts.reduce(0, { $0 + Int($1) }) == table.shape[0]
        else { throw PipelineError.invalidArtefact(part: "shares", reason: "shape \(table.shape) for \(pairCounts.count) images") }
    }

    func stored() throws -> StoredArtefact {
        let kinds = Kind.allCases.count
        return .tensors([
            "pair-counts": try StoredTensor(pairCounts, shape: [pairCounts.count]),
            "shares": try StoredTensor(shares, shape: [shares.count / kinds, kinds]),
            "class-token-changes": try StoredTensor(classTokenChanges, shape: [classTokenChanges.count]),
        ])
    }

    /// Adds the image that follows.
    /// - Parameter pairs: of each label the share of every kind.
    mutating func append(_ pairs: [[Double]], classTokenChange: Float) {
        pairCounts.append(Int32(pairs.count))
        shares += pairs.joined().map(Float.init)
        classTokenChanges.append(classTokenChange)
    }

    mutating func append(_ next: AttentionWithinLabels) {
        pairCounts += next.pairCounts
        shares += next.shares
        classTokenChanges += next.classTokenChanges
    }

    /// Of each image the sum over its labels and how many they are. // [images][2]
    func rows(_ kind: Kind) -> [[Double]] {
        let (kinds, place) = (Kind.allCases.count, Kind.allCases.firstIndex(of: kind) ?? 0)
        var pair = 0
        return pairCounts.map { count in
            defer { pair += Int(count) }
            return [(pair..<pair + Int(count)).reduce(0) { $0 + Double(shares[$1 * kinds + place]) }, Double(count)]
        }
    }
}

enum AttentionStep {
    private static let imagesPerShard = 50

    static func add(_ study: PictureStudy, depth: Int, in graph: inout Graph) throws -> StepHandle<AttentionWithinLabels> {
        let (images, model, size) = (study.images, study.model, study.inputSize)
        return try graph.add(
            Step(
                kind: "attention-within-labels", version: 1,
                parameters: ["depth": .integer(depth), "input-size": .integer(size), "images": .integer(images.count)],
                inputs: [images.images.erased, images.facts.erased], digests: ["model": model.digest],
                memory: model.surgeryMemory(inputSize: size), cost: model.surgeryCost(inputSize: size, paths: 2),
                work: .map(
                    units: images.count, unitsPerShard: imagesPerShard,
                    makeWorker: { inputs in
                        let (reader, facts) = (ImageReader(try inputs[images.images]), try inputs[images.facts])
                        let vision = try model.clip.value().vision.resized(to: size)
                        let surgery = SurgeryRecipe.surgery(depth: depth)
                        let (pass, plain) = (SurgeryPass(vision, recipes: [surgery], capacity: 1), VisionWorkspace(vision, capacity: 1))
                        return { shard in
                            var part = AttentionWithinLabels()
                            for image in shard.units {
                                try inputs.checkCancellation()
                                try reader.withImages(image..<image + 1) {
                                    pass.run($0, batch: 1)
                                    vision($0, batch: 1, plain)
                                }
                                let mask = try reader.mask(image)
                                let pairs = ShownLabels.of(facts[image], mask: mask).compactMap { label -> [Double]? in
                                    let patches = patches(
                                        ShownLabels.mask(of: label, facts[image], mask: mask), size: size,
                                        side: vision.configuration.gridSize)
                                    guard let raw = pass.attentionWithin(patches, .queryKey, depth: depth),
                                        let own = pass.attentionWithin(patches, .valueValue, depth: depth)
                                    else { return nil }
                                    // What attending to all other patches alike would give.
                                    return [raw, own, Double(patches.count { $0 } - 1) / Double(patches.count - 1)]
                                }
                                part.append(pairs, classTokenChange: try classTokenChange(pass.embed(surgery), plain, d: vision.embeddingWidth, images.name.imageID(image)))
                            }
                            return part
                        }
                    },
                    reduce: { _, shards in
                        var all = AttentionWithinLabels()
                        try shards.forEach { _, part in all.append(part) }
                        return all
                    })))
    }

    /// Whether a label covers more than half of each patch. // [side · side]
    static func patches(_ mask: [UInt8], size: Int, side: Int) -> [Bool] {
        let patch = size / side
        return (0..<side * side).map { index in
            let (top, left) = (index / side * patch, index % side * patch)
            let covered = (0..<patch).reduce(0) { sum, y in
                sum + (0..<patch).reduce(0) { $0 + (mask[(top + y) * size + left + $1] == 1 ? 1 : 0) }
            }
            return 2 * covered > patch * patch
        }
    }

    /// Between the first token after surgery and the embedding by the tower alone, which another computation gives.
    private static func classTokenChange(
        _ changed: UnsafePointer<Float>, _ plain: VisionWorkspace, d: Int, _ image: String
    ) throws -> Float {
        let own = plain.embeddings.base
        var (difference, length) = (Float(0), Float(0))
        for j in 0..<d {
            difference += (changed[j] - own[j]) * (changed[j] - own[j])
            length += own[j] * own[j]
        }
        let change = (difference / length).squareRoot()
        guard change.isFinite else { throw ExperimentError.notFinite(image: image, place: "embedding") }
        return change
    }
}
