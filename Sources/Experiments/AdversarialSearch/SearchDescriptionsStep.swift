import Foundations
import Inputs
import Pipeline

/// The descriptions that pictures are made from, by search.
struct SearchDescriptions: Artefact, Codable {
    /// In the order of the searches.
    var descriptions: [[PictureDescription]]
}

/// Asks the describer for descriptions of pictures made of each search's phrases.
///
/// It throws ``ExperimentError/tooFewPhrases(pair:method:found:needed:)`` and `SearchError`.
struct SearchDescriptionsStep: StepDefinition {
    let spec: AdversarialSearchSpec
    let words: StepHandle<SearchWords>

    private var seed: Int { spec.study.seed }

    func step() throws -> Step<SearchDescriptions> {
        let units = SearchUnit.all(spec)
        let describer = spec.describer.describer
        var parameters: Parameters = [
            "count": .integer(spec.descriptions), "phrases-each": .integer(spec.phrasesEach), "seed": .integer(seed),
        ]
        for (name, value) in describer.identity { parameters["describer-\(name)"] = .text(value) }
        return Step(
            kind: "search-descriptions", version: 2, parameters: parameters, inputs: [words.erased],
            work: try .map(
                units: units.count, unitsPerShard: 1,
                makeWorker: { inputs in
                    let words = try inputs[words]
                    return { shard in
                        let request = try request(
                            units[shard.units.lowerBound], phrases: words.searches[shard.units.lowerBound].phrases)
                        do {
                            return SearchDescriptions(
                                descriptions: [try describer.descriptions(request) { inputs.isCancelled }])
                        } catch SearchError.cancelled {
                            throw PipelineError.interrupted
                        }
                    }
                },
                reduce: { _, parts in
                    var all = SearchDescriptions(descriptions: [])
                    try parts.forEach { _, part in all.descriptions += part.descriptions }
                    return all
                }))
    }

    private func request(_ unit: SearchUnit, phrases: [String]) throws -> DescriptionRequest {
        let pair = spec.pairs[unit.pair]
        var random = SplitMix64(
            seed: UInt64(seed), label: "descriptions", index: UInt64(unit.repeat * spec.pairs.count + unit.pair))
        let request = DescriptionRequest(
            shown: pair.shown, forbidden: pair.mistakenFor,
            // Which they are counts, not their order: scores that rounding alone tells apart would
            // give other pictures on another machine.
            phrases: phrases.sorted(), count: spec.descriptions, phrasesEach: spec.phrasesEach, seed: random.next())
        let usable = request.usablePhrases.count
        guard usable >= spec.phrasesEach else {
            throw ExperimentError.tooFewPhrases(
                pair: pair.name, method: unit.method.rawValue, found: usable, needed: spec.phrasesEach)
        }
        return request
    }
}
