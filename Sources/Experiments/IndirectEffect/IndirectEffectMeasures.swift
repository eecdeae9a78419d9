import DenseMath
import Pipeline

/// Numbers of the indirect-effect experiment.
struct IndirectEffectMeasures {
    enum Effect: String, CaseIterable {
        case secondOrder = "second-order"
        case indirect
    }

    /// What is said of a distribution over neurons besides its mean.
    static let quantiles: [(name: String, probability: Double)] = [
        ("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95),
    ]

    let spec: IndirectEffectSpec
    let layers: [Int]
    let isPartial: Bool
    let fitCount: Int
    let directions: FittedDirections
    let indirect: IndirectDirections
    let direct: NeuronDirectDirections
    let trust: TrustFindings

    private var rows: RowMaker { RowMaker(IndirectEffectExperiment.name, spec.study, isPartial: isPartial) }

    // MARK: By neuron

    /// Images from which indirect effects were estimated.
    var sampledImages: Int { min(spec.sample.images, fitCount) }

    /// Neurons of a layer whose indirect effects were estimated, ascending.
    func sampled(_ layer: Int) -> [Int] { (indirect.layers[layer]?.neurons ?? []).map(Int.init) }

    /// Share of the variance along the first principal direction: of all neurons, or of those sampled.
    func shares(_ effect: Effect, layer: Int) -> [Double] {
        let found = effect == .indirect ? indirect.layers[layer]?.directions : directions.layers[layer]?.directions
        return (found?.explainedVariance ?? []).map(Double.init)
    }

    /// By how much more of the second-order effects it explains, for the neurons sampled.
    private func differences(_ layer: Int) -> [Double] {
        let all = shares(.secondOrder, layer: layer)
        return zip(sampled(layer), shares(.indirect, layer: layer)).map { all[$0] - $1 }
    }

    /// With which direction an indirect direction is compared.
    enum Reference: String, CaseIterable {
        /// The neuron's second-order direction.
        case secondOrder = "second-order"
        /// What the neuron writes at the class token directly.
        case direct
    }

    /// Cosines of the reference directions of the neurons sampled with the indirect ones. // [n, n]
    private func cosines(_ reference: Reference, layer: Int) -> Tensor? {
        let all = reference == .direct ? direct.layers[layer] : directions.layers[layer]?.directions.directions
        guard let all, let sample = indirect.layers[layer] else { return nil }
        return Tensor(shape: sample.directions.directions.shape, elements: sample.neurons.flatMap { all[row: Int($0)] })
            .times(sample.directions.directions, transposed: true)
    }

    /// Of each neuron sampled with itself, with the sign of the directions.
    func ownCosines(_ reference: Reference, layer: Int) -> [Double] {
        guard let cosines = cosines(reference, layer: layer) else { return [] }
        let n = cosines.shape[0]
        return (0..<n).map { Double(cosines.elements[$0 * n + $0]) }
    }

    /// |cos| of each neuron's reference direction with the indirect direction of another neuron sampled:
    /// the mean over all others, which is what shuffled pairs have on average.
    private func othersAlignment(_ reference: Reference, layer: Int) -> [Double] {
        guard let cosines = cosines(reference, layer: layer), cosines.shape[0] > 1 else { return [] }
        let n = cosines.shape[0]
        return (0..<n).map { row in
            (0..<n).filter { $0 != row }.map { Double(abs(cosines.elements[row * n + $0])) }.mean
        }
    }

    // MARK: Rows

    func metrics() -> [Metric] {
        layers.flatMap { layer in
            Effect.allCases.flatMap { distribution($0, layer: layer) } + [difference(layer)]
                + Reference.allCases.flatMap { alignment($0, layer: layer) }
        } + trust.metrics(rows, evaluated: fitCount)
    }

    static func subject(_ effect: Effect, layer: Int, statistic: String) -> Subject {
        ["layer": "\(layer)", "effect": effect.rawValue, "statistic": statistic]
    }

    private func distribution(_ effect: Effect, layer: Int) -> [Metric] {
        let (name, shares) = ("explained-variance-pc1", shares(effect, layer: layer))
        let note = effect == .indirect
            ? "\(shares.count) neurons chosen at random, \(sampledImages) fit images" : "all neurons, \(fitCount) fit images"
        return [
            rows.mean(
                name, Self.subject(effect, layer: layer, statistic: "mean"), shares, of: trust.fit, over: "neuron", note: note)
        ] + Self.quantiles.map { quantile in
            rows.quantile(
                name, Self.subject(effect, layer: layer, statistic: quantile.name), quantile.probability, shares,
                of: trust.fit, over: "neuron", note: note)
        }
    }

    private func difference(_ layer: Int) -> Metric {
        rows.mean(
            "explained-variance-pc1-difference", ["layer": "\(layer)"], differences(layer), of: trust.fit, over: "neuron",
            note: "second-order less indirect, of the neurons sampled")
    }

    static func subject(_ reference: Reference, layer: Int, pairing: String) -> Subject {
        ["layer": "\(layer)", "with": reference.rawValue, "pairing": pairing]
    }

    private func alignment(_ reference: Reference, layer: Int) -> [Metric] {
        func row(_ pairing: String, _ values: [Double]) -> Metric {
            rows.mean(
                "direction-alignment", Self.subject(reference, layer: layer, pairing: pairing), values, of: trust.fit,
                over: "neuron", unit: "|cosine|")
        }
        let others = othersAlignment(reference, layer: layer)
        let other = row("other", others)
        return [
            row("own", ownCosines(reference, layer: layer).map(abs)),
            others.isEmpty ? other.without(.notRun, because: "the sample has no other neuron") : other,
        ]
    }

    // MARK: Figures

    /// How the explained variance is distributed over neurons, the two effects apart.
    var figures: [FigureLayout] {
        [(Effect.secondOrder, "second-order effects of all neurons"), (.indirect, "indirect effects of the neurons sampled")].map {
            effect, whose in
            FigureLayout(
                title: "Variance along PC #1: \(whose)",
                x: .init("variance explained (%)", isShare: true), y: .init("neurons of the layer (%)", isShare: true, startsAtZero: true),
                curves: layers.map {
                    .init("layer \($0)", distributionOf: shares(effect, layer: $0), over: 0...1, bins: 20)
                }, hasMarks: false)
        }
    }

    // MARK: List

    /// Every neuron; what was not sampled has no indirect effect.
    var list: Attachment {
        let rows = layers.flatMap { layer -> [[Attachment.Field]] in
            let found = zip(
                shares(.indirect, layer: layer),
                zip(ownCosines(.secondOrder, layer: layer), ownCosines(.direct, layer: layer)))
            let sample = Dictionary(uniqueKeysWithValues: zip(sampled(layer), found))
            return shares(.secondOrder, layer: layer).enumerated().map { neuron, share in
                let (indirect, cosines) = sample[neuron] ?? (.nan, (.nan, .nan))
                return [
                    .integer(layer), .integer(neuron), .number(share), .number(indirect), .number(cosines.0), .number(cosines.1),
                ]
            }
        }
        return Attachment(
            "neurons.csv",
            .list(
                header: [
                    "layer", "neuron", "second_order_explained_by_pc1", "indirect_explained_by_pc1",
                    "cosine_indirect_second_order", "cosine_indirect_direct",
                ], rows: rows))
    }
}
