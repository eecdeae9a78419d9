import Attribution
import CLIPModel
import DenseMath
import Pipeline

/// What CLIP Surgery says of the tower itself: that patches of an object attend to unlike regions, but to their own where
/// values are compared with values; and that the class token stays as it was.
struct AttentionWithinLabels: ColumnTable {
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

    static let columns: [Column<Self>] = [
        .rows("pair-counts", \.pairCounts), .rows("shares", \.shares, of: "pairs") { _ in [Kind.allCases.count] },
        .rows("class-token-changes", \.classTokenChanges),
    ]

    func check() throws { try PairCounts.check(pairCounts, pairs: shares.count / Kind.allCases.count) }

    /// Adds the image that follows.
    /// - Parameter pairs: of each label the share of every kind.
    mutating func append(_ pairs: [[Double]], classTokenChange: Float) {
        pairCounts.append(Int32(pairs.count))
        shares += pairs.joined().map(Float.init)
        classTokenChanges.append(classTokenChange)
    }

    /// For each image, the sum of the shares over its labels and how many labels they are. // [images][2]
    func rows(_ kind: Kind) -> [[Double]] {
        let (kinds, place) = (Kind.allCases.count, Kind.allCases.firstIndex(of: kind) ?? 0)
        var pair = 0
        return pairCounts.map { count in
            defer { pair += Int(count) }
            return [(pair..<pair + Int(count)).reduce(0) { $0 + Double(shares[$1 * kinds + place]) }, Double(count)]
        }
    }
}

/// What every image's labels say of the tower, with and without surgery.
struct AttentionStep: ImageStep {
    typealias Output = AttentionWithinLabels
    static let (kind, version) = ("attention-within-labels", 2)
    let imagesPerShard = 50

    let study: PictureStudy
    /// Blocks of surgery.
    let depth: Int

    var model: StudyModel { study.model }
    var images: ImageSource { study.images }
    var parameters: Parameters {
        ["depth": .integer(depth), "input-size": .integer(study.inputSize), "images": .integer(images.count)]
    }
    var inputs: [AnyStepHandle] { [images.facts.erased] }
    var memory: MemoryEstimate? { model.surgeryMemory(inputSize: study.inputSize) }
    var cost: CostEstimate? { model.surgeryCost(inputSize: study.inputSize, paths: 8) }
    var none: AttentionWithinLabels { AttentionWithinLabels() }

    func worker(_ images: ImageRuns, _ inputs: StepInputs) throws -> ImageWorker<AttentionWithinLabels> {
        let (facts, size) = (try inputs[self.images.facts], study.inputSize)
        let vision = try model.clip.value().vision.resized(to: size)
        let surgery = SurgeryRecipe.surgery(depth: depth)
        let workspace = SurgeryWorkspace(vision, recipes: [surgery], capacity: 1)
        let plain = VisionWorkspace(vision, capacity: 1)
        return images.each { part, image in
            let (pass, own) = try images.reader.withImages(image..<image + 1) {
                (workspace.run($0, batch: 1), vision($0, batch: 1, plain))
            }
            let mask = try images.reader.mask(image)
            let pairs = ShownLabels.of(facts[image], mask: mask).compactMap { label -> [Double]? in
                let patches = Self.patches(
                    ShownLabels.mask(of: label, facts[image], mask: mask), size: size,
                    side: vision.layout.side)
                guard let raw = pass.attentionWithin(patches, .queryKey, depth: depth),
                    let surgery = pass.attentionWithin(patches, .valueValue, depth: depth)
                else { return nil }
                // What attending to all other patches alike would give.
                return [raw, surgery, Double(patches.count { $0 } - 1) / Double(patches.count - 1)]
            }
            part.append(
                pairs,
                classTokenChange: try Self.classTokenChange(
                    pass.embed(surgery) + vision.layout.classToken * vision.embeddingWidth, own.embeddings,
                    d: vision.embeddingWidth, images.set.imageID(image)))
        }
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

    /// Between the class token after surgery and the embedding by the tower alone, which another computation gives.
    private static func classTokenChange(
        _ changed: UnsafePointer<Float>, _ own: UnsafePointer<Float>, d: Int, _ image: String
    ) throws -> Float {
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
