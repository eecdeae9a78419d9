import Attribution
import Pipeline
import Safetensors

/// Maps against masks: for every image and case the pixel counts under each foreground rule, and the
/// average precision.
struct SegmentationScores: Artefact {
    /// Numbers that a count has.
    private static let parts = 6

    let cases: Int
    let rules: Int
    /// // [images, cases, rules, parts]
    private(set) var counts: [Int32] = []
    /// // [images, cases]
    private(set) var precisions: [Float] = []
    /// 1 for a map that tells no place from another. // [images, cases]
    private var constants: [Int32] = []
    /// The model's own answer. // [images]
    private(set) var predicted: [Int32] = []
    /// By how many logits it leads. // [images]
    private(set) var margins: [Float] = []
    /// A class that the image does not show. // [images]
    private(set) var absent: [Int32] = []

    var images: Int { predicted.count }

    init(cases: Int, rules: Int) {
        self.cases = cases
        self.rules = rules
    }

    init(_ stored: StoredArtefact) throws {
        let table = try stored.tensor("counts")
        guard table.shape.count == 4, table.shape[3] == Self.parts else {
            throw PipelineError.invalidArtefact(part: "counts", reason: "shape \(table.shape)")
        }
        (cases, rules) = (table.shape[1], table.shape[2])
        counts = try table.int32s()
        precisions = try stored.tensor("precisions").floats()
        constants = try stored.tensor("constants").int32s()
        predicted = try stored.tensor("predicted").int32s()
        margins = try stored.tensor("margins").floats()
        absent = try stored.tensor("absent").int32s()
        guard predicted.count == table.shape[0], absent.count == predicted.count, margins.count == predicted.count,
            precisions.count == predicted.count * cases, constants.count == precisions.count
        else { throw PipelineError.invalidArtefact(part: "predicted", reason: "\(predicted.count) for \(table.shape[0]) images") }
    }

    func stored() throws -> StoredArtefact {
        .tensors([
            "counts": try StoredTensor(counts, shape: [images, cases, rules, Self.parts]),
            "precisions": try StoredTensor(precisions, shape: [images, cases]),
            "constants": try StoredTensor(constants, shape: [images, cases]),
            "predicted": try StoredTensor(predicted, shape: [images]), "margins": try StoredTensor(margins, shape: [images]),
            "absent": try StoredTensor(absent, shape: [images]),
        ])
    }

    // MARK: Making

    /// Starts the next image.
    mutating func appendImage(predicted label: Int, margin: Float, absent other: Int) {
        predicted.append(Int32(label))
        margins.append(margin)
        absent.append(Int32(other))
    }

    /// The next case of the image that was started last.
    /// - Parameters:
    ///   - map: any scale and size.
    ///   - clipsNegatives: whether negative values count as 0.
    /// - Throws: `SegmentationError`.
    mutating func append(
        _ map: HeatMap, mask: [UInt8], size: Int, rules: [ForegroundRule], clipsNegatives: Bool = false
    ) throws {
        let resized = clipsNegatives ? map.resized(to: size).clippedAtZero() : map.resized(to: size)
        let map = resized.normalised()
        for rule in rules {
            let count = try SegmentationCounts(map: map.values, mask: mask, rule: rule)
            counts += [
                count.correct, count.labelled, count.background.intersection, count.background.union,
                count.foreground.intersection, count.foreground.union,
            ].map(Int32.init)
        }
        let isConstant = resized.isConstant
        constants.append(isConstant ? 1 : 0)
        precisions.append(
            Float(
                isConstant && mask.contains { $0 != SegmentationCounts.unlabelled } ? SegmentationCounts.averagePrecisionOfConstantMap
                    : try SegmentationCounts.pooledAveragePrecision(map: map.values, mask: mask)))
    }

    mutating func append(_ next: SegmentationScores) {
        counts += next.counts
        precisions += next.precisions
        constants += next.constants
        predicted += next.predicted
        margins += next.margins
        absent += next.absent
    }

    // MARK: Reading

    /// The counts of each image as a row of numbers that can be added up.
    func rows(of item: Int, rule: Int) -> [[Double]] {
        (0..<images).map { image in
            let start = ((image * cases + item) * rules + rule) * Self.parts
            return counts[start..<start + Self.parts].map(Double.init)
        }
    }

    /// Average precision of each image.
    func precisions(of item: Int) -> [Double] { (0..<images).map { Double(precisions[$0 * cases + item]) } }

    /// Of each image whether the map tells no place from another.
    func isConstant(of item: Int) -> [Bool] { (0..<images).map { constants[$0 * cases + item] == 1 } }

    /// The ratios of added rows.
    static func counts(_ sums: [Double]) -> SegmentationCounts {
        SegmentationCounts(
            correct: Int(sums[0]), labelled: Int(sums[1]),
            background: .init(intersection: Int(sums[2]), union: Int(sums[3])),
            foreground: .init(intersection: Int(sums[4]), union: Int(sums[5])))
    }
}
