import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Lens
import Pipeline

/// A pool of phrases with their embeddings.
struct StoredTextPool: ColumnTable {
    private var phrases: [String] = []
    private var embeddings = Tensor(zeros: [0, 0])

    static let columns: [Column<Self>] = [
        .texts("phrases", \.phrases, of: "phrases"), .rows("embeddings", \.embeddings, of: "phrases"),
    ]

    init() {}
    init(phrases: [String], embeddings: Tensor) { (self.phrases, self.embeddings) = (phrases, embeddings) }

    /// Makes the dictionary of pursuit anew: ask once.
    var pool: TextPool { TextPool(phrases: phrases, embeddings: embeddings) }
}

/// Embeds the phrases of a pool.
///
/// It throws ``ExperimentError/poolTooSmall(name:found:needed:)``, ``ExperimentError/textNotFinite(text:)`` and `InputError`.
struct TextPoolStep: StepDefinition {
    enum Source: Sendable {
        case phrases([String])
        /// The captions of as many images, each once.
        case captions(StepHandle<ImageFacts>, images: Int)
    }

    let model: StudyModel
    let name: String
    let source: Source
    /// Phrases that the pool must have at least: the largest number of atoms.
    let needed: Int

    /// Phrases that are embedded and stored together.
    private static let phrasesPerShard = 1024

    func step() throws -> Step<StoredTextPool> {
        switch source {
        case .phrases(let phrases): try step(of: phrases)
        case .captions(let facts, let images):
            step(
                inputs: [facts.erased], texts: images,
                .single { inputs in
                    let captions = try inputs[facts].captions.uniqued()
                    try check(captions.count)
                    let embeddings = try model.clip.value().embed(texts: captions).finite(rows: captions)
                    return StoredTextPool(phrases: captions, embeddings: embeddings)
                })
        }
    }

    private func step(of phrases: [String]) throws -> Step<StoredTextPool> {
        try check(phrases.count)
        return step(
            digests: ["phrases": Digest.sha256(of: Data(phrases.joined(separator: "\n").utf8))], texts: 1,
            try .joined(units: phrases.count, unitsPerShard: Self.phrasesPerShard) { inputs in
                let clip = try model.clip.value()
                return { shard in
                    try inputs.checkCancellation()
                    let part = Array(phrases[shard.units])
                    return StoredTextPool(phrases: part, embeddings: try clip.embed(texts: part).finite(rows: part))
                }
            })
    }

    private func step(
        digests: [String: String] = [:], inputs: [AnyStepHandle] = [], texts: Int, _ work: Work<StoredTextPool>
    ) -> Step<StoredTextPool> {
        Step(
            kind: "text-pool", label: name, version: 3,
            parameters: ["text-activation": .text(model.textActivation.rawValue)], inputs: inputs,
            digests: digests.merging(["model": model.digest]) { first, _ in first }, cost: model.textCost(texts: texts),
            work: work)
    }

    private func check(_ count: Int) throws {
        guard count >= needed else { throw ExperimentError.poolTooSmall(name: name, found: count, needed: needed) }
    }
}

extension TextPoolStep {
    /// - Throws: `InputError`; ``ExperimentError`` for what is wrong in a file, and for captions of pictures.
    init(_ study: Study, _ pool: PoolSpec, needed: Int) throws {
        let source: Source =
            switch pool.source {
            case .namesAndKeywords: .phrases(try study.classes.namesAndKeywords())
            case .phrases(let file): .phrases(try file.contents())
            case .captions: .captions(study.fit.facts, images: study.fit.count)
            }
        if case .captions = source { _ = try study.classes.requireScenes("source: captions") }
        self.init(model: study.model, name: pool.name, source: source, needed: needed)
    }
}

/// A control for a pool of phrases: as many vectors, drawn from the Gaussian with the mean and covariance of the phrases'
/// embeddings. They mean nothing, and lie where texts lie.
struct RandomPoolStep: StepDefinition {
    let pool: StepHandle<StoredTextPool>
    let name: String
    let seed: Int

    func step() throws -> Step<StoredTextPool> {
        Step(
            kind: "random-dictionary", label: name, version: 2, parameters: ["seed": .integer(seed)],
            inputs: [pool.erased],
            work: .single { inputs in
                let embeddings = try inputs[pool].pool.embeddings
                var random = SplitMix64(seed: UInt64(seed), label: "random dictionary", index: 0)
                let drawn = try GaussianVectors(like: embeddings)(embeddings.shape[0], &random)
                return StoredTextPool(phrases: (1...embeddings.shape[0]).map { "random \($0)" }, embeddings: drawn)
            })
    }
}

extension Tensor {
    /// The tensor itself, the embeddings of texts. // [texts, d]
    /// - Throws: ``ExperimentError/textNotFinite(text:)`` for the first that is no finite number.
    func finite(rows texts: [String]) throws -> Tensor {
        for (row, text) in texts.enumerated() where !self[row: row].allSatisfy(\.isFinite) {
            throw ExperimentError.textNotFinite(text: text)
        }
        return self
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, where it first stands.
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
