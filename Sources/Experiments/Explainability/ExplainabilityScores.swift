import Attribution
import DenseMath
import Pipeline
import Safetensors

/// Maps of the labels that images show, against their masks, shard by shard.
struct ExplainabilityPart: Artefact {
    let cases: Int
    /// The model's own answer. // [images]
    private(set) var predicted: [Int32] = []
    /// By how much cosine it leads. // [images]
    private(set) var margins: [Float] = []
    /// Labels that count for an image. // [images]
    private(set) var pairCounts: [Int32] = []
    /// // [pairs]
    private(set) var labels: [Int32] = []
    /// NaN where a label is everywhere. // [pairs, cases]
    private(set) var contrasts: [Float] = []
    /// Intersection over union. // [pairs, cases, thresholds]
    private(set) var curves: [Float] = []

    static let curve = IntersectionCurve.hundredths

    init(cases: Int) { self.cases = cases }

    mutating func appendImage(predicted label: Int, margin: Float) {
        predicted.append(Int32(label))
        margins.append(margin)
        pairCounts.append(0)
    }

    /// Adds a label of the image that was added last.
    /// - Parameter maps: one for each case, from 0 to 1. // [cases][size · size]
    /// - Throws: `SegmentationError`.
    mutating func appendLabel(_ label: Int, mask: [UInt8], maps: [[Float]]) throws {
        precondition(maps.count == cases, "a map for each case")
        pairCounts[pairCounts.count - 1] += 1
        labels.append(Int32(label))
        for map in maps {
            contrasts.append(Float(try ScoreContrast.value(map: map, mask: mask) ?? .nan))
            // A label that counts is somewhere.
            curves += try Self.curve.ratios(map: map, mask: mask) ?? [Float](repeating: 0, count: Self.curve.thresholds.count)
        }
    }

    init(_ stored: StoredArtefact) throws {
        let table = try stored.tensor("curves")
        guard table.shape.count == 3, table.shape[2] == Self.curve.thresholds.count else {
            throw PipelineError.invalidArtefact(part: "curves", reason: "shape \(table.shape)")
        }
        cases = table.shape[1]
        curves = try table.floats()
        (predicted, margins) = (try stored.tensor("predicted").int32s(), try stored.tensor("margins").floats())
        (pairCounts, labels) = (try stored.tensor("pair-counts").int32s(), try stored.tensor("labels").int32s())
        contrasts = try stored.tensor("contrasts").floats()
        guard labels.count == table.shape[0], contrasts.count == labels.count * cases, margins.count == predicted.count,
            pairCounts.count == predicted.count, pairCounts.allSatisfy({ $0 >= 0 }),
            pairCounts.reduce(0, { $0 + Int($1) }) == labels.count
        else { throw PipelineError.invalidArtefact(part: "labels", reason: "\(labels.count) for \(predicted.count) images") }
    }

    func stored() throws -> StoredArtefact {
        .tensors([
            "predicted": try StoredTensor(predicted, shape: [predicted.count]),
            "margins": try StoredTensor(margins, shape: [margins.count]),
            "pair-counts": try StoredTensor(pairCounts, shape: [pairCounts.count]),
            "labels": try StoredTensor(labels, shape: [labels.count]),
            "contrasts": try StoredTensor(contrasts, shape: [labels.count, cases]),
            "curves": try StoredTensor(curves, shape: [labels.count, cases, Self.curve.thresholds.count]),
        ])
    }
}

/// The same for all images, with one threshold for each case: the one of the best mean.
struct ExplainabilityScores: Artefact {
    let cases: Int
    private(set) var predicted: [Int32] = []
    private(set) var margins: [Float] = []
    private(set) var pairCounts: [Int32] = []
    /// // [pairs]
    private(set) var labels: [Int32] = []
    /// NaN where a label is everywhere. // [pairs, cases]
    private(set) var contrasts: [Float] = []
    /// Mean intersection over union. // [cases, thresholds]
    private(set) var curves: [Double] = []
    /// Index of the best threshold, the lowest among equals. // [cases]
    private(set) var best: [Int32] = []
    /// At the best threshold. // [pairs, cases]
    private(set) var ratios: [Float] = []

    var images: Int { predicted.count }
    var pairs: Int { labels.count }
    static let thresholds = IntersectionCurve.hundredths.thresholds

    /// - Throws: what reading a shard throws.
    init(_ shards: ShardOutputs<ExplainabilityPart>, cases: Int) throws {
        self.cases = cases
        let steps = Self.thresholds.count
        curves = [Double](repeating: 0, count: cases * steps)
        try shards.forEach { _, part in
            predicted += part.predicted
            margins += part.margins
            pairCounts += part.pairCounts
            labels += part.labels
            contrasts += part.contrasts
            for (index, value) in part.curves.enumerated() { curves[index % (cases * steps)] += Double(value) }
        }
        if !labels.isEmpty { for index in curves.indices { curves[index] /= Double(labels.count) } }
        best = (0..<cases).map { item in
            let curve = curves[item * steps..<(item + 1) * steps]
            return Int32((curve.indices.max { (curve[$0], $1) < (curve[$1], $0) } ?? curve.startIndex) - curve.startIndex)
        }
        // Only now is it known which of each curve's values count.
        try shards.forEach { _, part in
            for pair in 0..<part.labels.count {
                for item in 0..<cases { ratios.append(part.curves[(pair * cases + item) * steps + Int(best[item])]) }
            }
        }
    }

    init(_ stored: StoredArtefact) throws {
        let table = try stored.tensor("curves")
        guard table.shape.count == 2, table.shape[1] == Self.thresholds.count else {
            throw PipelineError.invalidArtefact(part: "curves", reason: "shape \(table.shape)")
        }
        cases = table.shape[0]
        curves = try table.floats().map(Double.init)
        (predicted, margins) = (try stored.tensor("predicted").int32s(), try stored.tensor("margins").floats())
        (pairCounts, labels) = (try stored.tensor("pair-counts").int32s(), try stored.tensor("labels").int32s())
        (contrasts, ratios) = (try stored.tensor("contrasts").floats(), try stored.tensor("ratios").floats())
        best = try stored.tensor("best").int32s()
        guard contrasts.count == labels.count * cases, ratios.count == contrasts.count, margins.count == predicted.count,
            best.count == cases, best.allSatisfy(Self.thresholds.indices.map(Int32.init).contains),
            pairCounts.count == predicted.count, pairCounts.allSatisfy({ $0 >= 0 }),
            pairCounts.reduce(0, { $0 + Int($1) }) == labels.count
        else { throw PipelineError.invalidArtefact(part: "labels", reason: "\(labels.count) for \(predicted.count) images") }
    }

    func stored() throws -> StoredArtefact {
        .tensors([
            "predicted": try StoredTensor(predicted, shape: [images]), "margins": try StoredTensor(margins, shape: [images]),
            "pair-counts": try StoredTensor(pairCounts, shape: [images]), "labels": try StoredTensor(labels, shape: [pairs]),
            "contrasts": try StoredTensor(contrasts, shape: [pairs, cases]),
            "ratios": try StoredTensor(ratios, shape: [pairs, cases]), "best": try StoredTensor(best, shape: [cases]),
            "curves": try StoredTensor(curves.map(Float.init), shape: [cases, Self.thresholds.count]),
        ])
    }

    // MARK: Reading

    func curve(of item: Int) -> ArraySlice<Double> {
        curves[item * Self.thresholds.count..<(item + 1) * Self.thresholds.count]
    }

    func threshold(of item: Int) -> Float { Self.thresholds[Int(best[item])] }

    /// Of each image the sum over its labels and how many they are, for means that images are drawn again for.
    /// - Parameter value: of a pair; NaN does not count.
    func rows(_ value: (Int) -> Float) -> [[Double]] {
        var pair = 0
        return pairCounts.map { count in
            var (sum, counted) = (0.0, 0.0)
            for index in pair..<pair + Int(count) where !value(index).isNaN {
                sum += Double(value(index))
                counted += 1
            }
            pair += Int(count)
            return [sum, counted]
        }
    }

    func ratio(_ pair: Int, _ item: Int) -> Float { ratios[pair * cases + item] }
    func contrast(_ pair: Int, _ item: Int) -> Float { contrasts[pair * cases + item] }
}
