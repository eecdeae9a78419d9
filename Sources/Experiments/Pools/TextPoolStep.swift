import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Lens
import Pipeline

/// A pool of phrases with their embeddings.
struct StoredTextPool: Artefact {
    let pool: TextPool

    init(_ pool: TextPool) { self.pool = pool }

    init(_ stored: StoredArtefact) throws {
        let embeddings = try stored.numbers("embeddings", dimensions: 2)
        let phrases = (stored.metadata("phrases") ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard phrases.count == embeddings.shape[0] else {
            throw PipelineError.invalidArtefact(part: "phrases", reason: "\(phrases.count) for \(embeddings.shape[0]) embeddings")
        }
        pool = TextPool(phrases: phrases, embeddings: embeddings)
    }

    func stored() throws -> StoredArtefact {
        .tensors(["embeddings": try pool.embeddings.stored()], metadata: ["phrases": pool.phrases.joined(separator: "\n")])
    }
}

enum TextPoolStep {
    /// Phrases that are embedded and stored together.
    private static let phrasesPerShard = 1024

    /// - Parameter needed: phrases that the pool must have at least: the largest number of atoms.
    /// - Throws: ``ExperimentError/poolTooSmall(name:found:needed:)``, `InputError`, `PipelineError`; the step throws
    ///   ``ExperimentError/textNotFinite(text:)``.
    static func add(_ pool: PoolSpec, needed: Int, of study: Study, in graph: inout Graph) throws -> StepHandle<StoredTextPool> {
        let model = study.model
        @Sendable func check(_ count: Int) throws {
            guard count >= needed else { throw ExperimentError.poolTooSmall(name: pool.name, found: count, needed: needed) }
        }
        func step(digests: [String: String] = [:], inputs: [AnyStepHandle] = [], texts: Int, _ work: Work<StoredTextPool>)
            -> Step<StoredTextPool>
        {
            Step(
                kind: "text-pool", label: pool.name, version: 2,
                parameters: ["text-activation": .text(model.textActivation.rawValue)], inputs: inputs,
                digests: digests.merging(["model": model.digest]) { first, _ in first },
                cost: model.textCost(texts: texts), work: work)
        }
        func known(_ phrases: [String]) throws -> Step<StoredTextPool> {
            try check(phrases.count)
            return step(
                digests: ["phrases": Digest.sha256(of: Data(phrases.joined(separator: "\n").utf8))], texts: 1,
                try .map(
                    units: phrases.count, unitsPerShard: phrasesPerShard,
                    makeWorker: { inputs in
                        let clip = try model.clip.value()
                        return { shard in
                            try inputs.checkCancellation()
                            let part = Array(phrases[shard.units])
                            return StoredTextPool(TextPool(phrases: part, embeddings: try clip.embed(texts: part).finite(rows: part)))
                        }
                    },
                    reduce: { _, shards in
                        var embeddings: [Float] = []
                        try shards.forEach { _, part in embeddings += part.pool.embeddings.elements }
                        let shape = [phrases.count, embeddings.count / phrases.count]
                        return StoredTextPool(TextPool(phrases: phrases, embeddings: Tensor(shape: shape, elements: embeddings)))
                    }))
        }
        switch pool.source {
        case .namesAndKeywords: return try graph.add(known(study.classes.namesAndKeywords()))
        case .phrases(let phrases): return try graph.add(known(phrases))
        case .captions:
            _ = try study.classes.requireScenes("source: captions")
            let fit = study.fit
            return try graph.add(
                step(inputs: [fit.facts.erased], texts: fit.count, .single { inputs in
                    let captions = try inputs[fit.facts].captions.uniqued()
                    try check(captions.count)
                    let embeddings = try model.clip.value().embed(texts: captions).finite(rows: captions)
                    return StoredTextPool(TextPool(phrases: captions, embeddings: embeddings))
                }))
        }
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
