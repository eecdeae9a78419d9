import DenseMath
import Pipeline

/// Numbers of the indirect-effect experiment.
struct IndirectEffectMeasures {
    /// What is said of a distribution over neurons besides its mean.
    static let quantiles: [(name: String, probability: Double)] = [
        ("p05", 0.05), ("p25", 0.25), ("p50", 0.5), ("p75", 0.75), ("p95", 0.95),
    ]

    let spec: IndirectEffectSpec
    let layers: [Int]
    let isPartial: Bool
    let fitCount: Int
    let directions: FittedDirections
    let totals: EffectTotals
    let sampled: SampledEffects
    let direct: NeuronDirectDirections
    let trust: TrustFindings

    private var rows: MetricBuilder {
        MetricBuilder(IndirectEffectExperiment.name, spec.study.setting, isPartial: isPartial)
    }

    // MARK: By neuron

    /// Images on which both kinds of effects were compared.
    var sampledImages: Int { min(spec.sample.images, fitCount) }
    /// Images with the largest effects that a neuron keeps of them.
    var kept: Int { min(spec.study.significantImages, sampledImages) }

    /// Neurons of a layer that were sampled, ascending.
    func neurons(_ layer: Int) -> [Int] { (sampled.layers[layer]?.neurons ?? []).map(Int.init) }

    func summary(_ effect: EffectKind, layer: Int) -> EffectSummary? {
        effect == .indirect ? sampled.layers[layer]?.indirect : sampled.layers[layer]?.secondOrder
    }

    /// What a neuron's first direction explains, one value a neuron: of those sampled, or of all, whose indirect effects
    /// nobody measured.
    func shares(_ effect: EffectKind, _ share: EffectKind.Share, layer: Int, _ sample: EffectKind.Sample = .equal)
        -> [Double]
    {
        let values: [Float]
        switch (sample, share) {
        case (.all, _) where effect == .indirect: return []
        case (.all, .all): return totals.layers[layer]?.shares ?? []
        case (.all, .largest): values = directions.layers[layer]?.directions.shares ?? []
        case (.all, .centred): values = directions.layers[layer]?.directions.centredShares ?? []
        case (.equal, .largest): values = summary(effect, layer: layer)?.directions.shares ?? []
        case (.equal, .centred): values = summary(effect, layer: layer)?.directions.centredShares ?? []
        case (.equal, .all): values = summary(effect, layer: layer)?.sharesOfAll ?? []
        }
        return values.map(Double.init)
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
        let all =
            reference == .direct ? direct.layers[layer]?.directions : directions.layers[layer]?.directions.directions
        guard let all, let sample = sampled.layers[layer] else { return nil }
        return Tensor(
            shape: sample.indirect.directions.directions.shape, elements: sample.neurons.flatMap { all[row: Int($0)] }
        )
        .times(sample.indirect.directions.directions, transposed: true)
    }

    /// Cosine of each sampled neuron's reference direction with its own indirect direction, with its sign. // [n]
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
            EffectKind.allCases.flatMap {
                explained($0, layer: layer) + distribution($0, layer: layer) + concentration($0, layer: layer)
            }
                + EffectKind.Share.allCases.map { difference($0, layer: layer) }
                + Reference.allCases.flatMap { alignment($0, layer: layer) }
        } + trust.metrics(rows, evaluated: fitCount)
    }

    private func explained(_ effect: EffectKind, layer: Int) -> [Metric] {
        let samples: [(EffectKind.Sample, String)] = [
            (.equal, "\(neurons(layer).count) neurons chosen at random, \(sampledImages) fit images"),
            (.all, "all neurons, \(fitCount) fit images"),
        ]
        return samples.filter { effect == .secondOrder || $0.0 == .equal }.flatMap { sample, note in
            EffectKind.Share.allCases.map { share in
                rows.mean(
                    EffectKind.shareMetric, effect.subject(share, layer: layer, sample),
                    shares(effect, share, layer: layer, sample),
                    of: trust.fit, over: "neuron", note: note)
            }
        }
    }

    static func subject(_ effect: EffectKind, layer: Int, statistic: String) -> Subject {
        ["layer": "\(layer)", "effect": effect.rawValue, "statistic": statistic]
    }

    private func distribution(_ effect: EffectKind, layer: Int) -> [Metric] {
        Self.quantiles.map { quantile in
            rows.quantile(
                EffectKind.shareMetric, Self.subject(effect, layer: layer, statistic: quantile.name),
                quantile.probability,
                shares(effect, .largest, layer: layer), of: trust.fit, over: "neuron",
                note: "of the \(kept) largest effects on \(sampledImages) fit images")
        } + [
            rows.share(
                "neurons-without-gap", ["layer": "\(layer)", "effect": effect.rawValue],
                summary(effect, layer: layer).map { summary in
                    summary.directions.ratios.indices.map { !summary.directions.hasFirst($0, gap: spec.gap) }
                } ?? [],
                of: trust.fit, over: "neuron",
                higherIsBetter: false, note: "σ₂/σ₁ above \(spec.gap)")
        ]
    }

    /// What holds how much of a neuron's effects.
    enum Holder: String, CaseIterable {
        case measured
        case gaussian = "Gaussian"
    }

    static let held: [(name: String, share: Double)] = [("half", 0.5), ("nine tenths", 0.9)]

    static func subject(_ effect: EffectKind, layer: Int, holding: String, _ holder: Holder) -> Subject {
        ["layer": "\(layer)", "effect": effect.rawValue, "holding": holding, "effects": holder.rawValue]
    }

    /// How few images hold half and nine tenths of a neuron's effects, and of as large ones that chance made.
    private func concentration(_ effect: EffectKind, layer: Int) -> [Metric] {
        guard let summary = summary(effect, layer: layer) else { return [] }
        let values: [(String, Holder, [Float])] = [
            ("half", .measured, summary.holdingHalf), ("half", .gaussian, summary.gaussianHalf),
            ("nine tenths", .measured, summary.holdingNineTenths),
            ("nine tenths", .gaussian, summary.gaussianNineTenths),
        ]
        // A neuron without effects holds nothing anywhere.
        func finite(_ values: [Double]) -> [Double] { values.filter(\.isFinite) }
        return values.map { held, holder, shares in
            rows.mean(
                "images-holding", Self.subject(effect, layer: layer, holding: held, holder),
                finite(shares.map(Double.init)),
                of: trust.fit, over: "neuron", higherIsBetter: false,
                note: "of Σ‖φ − φ̄‖² over \(sampledImages) fit images")
        } + [
            rows.mean(
                "images-holding-difference", ["layer": "\(layer)", "effect": effect.rawValue, "holding": "half"],
                finite(zip(summary.holdingHalf, summary.gaussianHalf).map { Double($0 - $1) }), of: trust.fit,
                over: "neuron",
                higherIsBetter: false, note: "measured less Gaussian, neuron by neuron")
        ]
    }

    static func differenceSubject(_ share: EffectKind.Share, layer: Int) -> Subject {
        ["layer": "\(layer)", "of": share.rawValue]
    }

    private func difference(_ share: EffectKind.Share, layer: Int) -> Metric {
        rows.mean(
            "pc1-share-difference", Self.differenceSubject(share, layer: layer),
            zip(shares(.secondOrder, share, layer: layer), shares(.indirect, share, layer: layer)).map { $0 - $1 },
            of: trust.fit, over: "neuron", note: "second-order less indirect, the same neurons and images")
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

    /// How what the first direction explains is distributed over neurons, the two effects apart.
    var figures: [FigureLayout] {
        EffectKind.allCases.map { effect in
            FigureLayout(
                title: "Second moments along PC #1: \(effect.rawValue) effects of the neurons sampled",
                x: .init("share along PC #1 (%)", isShare: true),
                y: .init("neurons of the layer (%)", isShare: true, startsAtZero: true),
                curves: layers.map {
                    .init("layer \($0)", distributionOf: shares(effect, .largest, layer: $0), over: 0...1, bins: 20)
                }, hasMarks: false)
        }
    }

    // MARK: List

    /// Every neuron; what was not sampled has nothing of an equal sample.
    var list: Attachment {
        let equal = EffectKind.allCases.flatMap { effect in EffectKind.Share.allCases.map { (effect, $0) } }
        let rows = layers.flatMap { layer -> [[Attachment.Field]] in
            let sampled = neurons(layer)
            let columns =
                equal.map { shares($0, $1, layer: layer) }
                + EffectKind.allCases.map { (summary($0, layer: layer)?.directions.ratios ?? []).map(Double.init) }
                + [ownCosines(.secondOrder, layer: layer), ownCosines(.direct, layer: layer)]
            let places = Dictionary(uniqueKeysWithValues: zip(sampled, sampled.indices))
            let whole =
                EffectKind.Share.allCases.map { shares(.secondOrder, $0, layer: layer, .all) }
                + [(directions.layers[layer]?.directions.ratios ?? []).map(Double.init)]
            return (whole.first ?? []).indices.map { neuron in
                [.integer(layer), .integer(neuron)] + whole.map { .number($0[neuron]) }
                    + columns.map { column in .number(places[neuron].map { column[$0] } ?? .nan) }
            }
        }
        func name(_ effect: EffectKind, _ share: EffectKind.Share, _ sample: String) -> String {
            let effect = effect == .secondOrder ? "second_order" : "indirect"
            return "\(sample)_\(effect)_share_of_\(share == .centred ? "largest_centred" : share.rawValue)"
        }
        return Attachment(
            "neurons.csv",
            .list(
                header: ["layer", "neuron"] + EffectKind.Share.allCases.map { name(.secondOrder, $0, "all") }
                    + ["all_second_order_sigma2_over_sigma1"] + equal.map { name($0, $1, "equal") }
                    + [
                        "equal_second_order_sigma2_over_sigma1", "equal_indirect_sigma2_over_sigma1",
                        "cosine_indirect_second_order",
                        "cosine_indirect_direct",
                    ], rows: rows))
    }
}
