import DenseMath

/// A linear classifier made of class names: the mean of each class's template embeddings.
public struct ZeroShotClassifier: Sendable {
    /// Unit rows. // [classes, d]
    public let weights: Tensor

    public init(weights: Tensor) { self.weights = weights }

    /// Each name in each template, embedded and normalised; averaged by class; normalised.
    /// - Parameter templates: texts in which `{}` stands for the name.
    public init(_ model: CLIP, names: [String], templates: [String]) {
        precondition(!templates.isEmpty)
        var weights = Tensor(zeros: [names.count, model.text.embeddingWidth])
        let d = weights.shape[1]
        for (index, name) in names.enumerated() {
            let embeddings = model.embed(
                texts: templates.map { $0.replacing("{}", with: name, maxReplacements: 1) })
            for t in 0..<templates.count {
                for i in 0..<d { weights.elements[index * d + i] += embeddings.elements[t * d + i] }
            }
        }
        self.weights = weights.rowsNormalised()
    }

    /// For each representation the class of the largest score, and by how much it leads. Ties go to the first class.
    /// - Parameter representations: vectors of the joint space; their length matters for the margin only. // [batch, d]
    /// - Returns: the class, and its score minus the runner-up's (0 with a single class); nil for a
    ///   representation that is not finite, for which no class is the right answer.
    public func classify(_ representations: UnsafePointer<Float>, batch: Int) -> [(label: Int, margin: Float)?] {
        let (classes, d) = (weights.shape[0], weights.shape[1])
        var scores = [Float](repeating: 0, count: batch * classes)
        BLAS.multiply(
            batch, classes, d, representations, stride: d, weights.elements, stride: d, otherTransposed: true,
            into: &scores, stride: classes)
        return (0..<batch).map { Self.best(of: scores[$0 * classes..<($0 + 1) * classes]) }
    }

    /// The first of the largest scores, and by how much it leads; nil where a score is not finite.
    public static func best(of scores: ArraySlice<Float>) -> (label: Int, margin: Float)? {
        guard scores.allSatisfy(\.isFinite) else { return nil }
        var (label, first, second) = (0, -Float.infinity, -Float.infinity)
        for (index, score) in scores.enumerated() {
            if score > first {
                (label, first, second) = (index, score, first)
            } else if score > second {
                second = score
            }
        }
        return (label, second == -.infinity ? 0 : first - second)
    }
}
