import DenseMath
import Lens
import Pipeline

/// How many of an image's discovered phrases are true: names or keywords of what the image shows. The
/// paper shows examples only.
struct ConceptDiscoveryMeasures {
    let spec: ConceptDiscoverySpec
    let isPartial: Bool
    let pool: TextPool
    let found: ConceptPhrases
    /// Names and keywords of each image's objects, main object first. // [images][objects]
    let truths: [[Set<String>]]
    let decomposition: TrustFindings

    private var rows: MetricBuilder {
        MetricBuilder(ConceptDiscoveryExperiment.name, spec.study.setting, isPartial: isPartial)
    }

    /// What the phrases of an image are compared with.
    enum Truth: String, CaseIterable {
        /// Everything that the scene shows.
        case objects
        case mainObject = "main object"
        /// A control: what another image shows.
        case anotherImage = "another image"
    }

    private func words(_ truth: Truth, image: Int) -> Set<String> {
        switch truth {
        case .objects: truths[image].reduce(into: []) { $0.formUnion($1) }
        case .mainObject: truths[image].first ?? []
        case .anotherImage: words(.objects, image: (image + truths.count / 2) % truths.count)
        }
    }

    /// For each image how many of its phrases are true.
    func hits(_ score: ConceptScore, _ truth: Truth) -> [Int] {
        truths.indices.map { image in
            let words = words(truth, image: image)
            return found.phrases(image: image, score: score).count { $0 >= 0 && words.contains(pool.phrases[Int($0)]) }
        }
    }

    func metrics() -> [Metric] {
        var metrics: [Metric] = []
        for score in ConceptScore.allCases {
            for truth in Truth.allCases {
                let hits = hits(score, truth)
                let subject: Subject = ["score": score.rawValue, "truth": truth.rawValue]
                metrics.append(
                    rows.mean(
                        "true-phrases", subject, hits.map { Double($0) / Double(found.kept) },
                        of: decomposition.evaluation,
                        note: "share of the \(found.kept) phrases"))
                metrics.append(
                    rows.share("any-true-phrase", subject, hits.map { $0 > 0 }, of: decomposition.evaluation))
            }
        }
        let possible = truths.indices.map {
            Double(min(words(.objects, image: $0).count, found.kept)) / Double(found.kept)
        }
        metrics.append(
            rows.mean(
                "true-phrases", Self.bestSubject, possible,
                of: decomposition.evaluation,
                note: "a scene has fewer names and keywords than phrases are asked for"))
        metrics.append(
            rows.mean(
                "active-neurons", [:], found.active.map { Double($0) }, of: decomposition.evaluation, unit: "neurons"))
        return metrics + decomposition.metrics(rows, evaluated: truths.count)
    }

    private static let bestPossible = "best possible"
    /// The share that would be true if a scene's own words came first.
    private static let bestSubject: Subject = ["score": bestPossible, "truth": Truth.objects.rawValue]

    func failedControls() -> [FailedControl] { decomposition.failedControls() }

    var table: TableLayout {
        func row(_ header: String, _ score: ConceptScore) -> TableLayout.Row {
            .init(
                header,
                Truth.allCases.map { .init("true-phrases", ["score": score.rawValue, "truth": $0.rawValue]) }
                    + [.init("any-true-phrase", ["score": score.rawValue, "truth": Truth.objects.rawValue])])
        }
        return TableLayout(
            title:
                "Appendix A.5: the \(found.kept) phrases that an image's active neurons agree on, and what the image shows",
            rowHeader: "phrases scored by",
            columns: Truth.allCases.map { .init($0.rawValue, group: "share that is true of (%)") } + [
                .init("any true")
            ],
            rows: [
                row("norms of effects (the paper)", .norm),
                row("effects with their sign", .signed),
                row("similarity, no neurons", .similarity),
                .init(
                    Self.bestPossible,
                    Truth.allCases.map { $0 == .objects ? .init("true-phrases", Self.bestSubject) : .text("–") }
                        + [.text("–")]),
            ],
            footnotes: [
                "True: a name or a keyword of an object in the image. another image: a control, the words of a different image.",
                "A neuron is active where its effect is larger than on all but \(spec.study.significantImages) images of the fit set; each is described by \(spec.sizes[spec.size]) phrases.",
                "The paper shows examples, no number.",
            ])
    }

    /// Every image with its phrases.
    func list(captions: [String]) -> Attachment {
        // Pictures from elsewhere have none.
        let hasCaptions = captions.contains { !$0.isEmpty }
        let rows = truths.indices.map { image -> [Attachment.Field] in
            [.text(decomposition.evaluation.imageID(image))] + (hasCaptions ? [.text(captions[image])] : [])
                + [.integer(Int(found.active[image]))]
                + ConceptScore.allCases.map { score in
                    .text(
                        found.phrases(image: image, score: score).filter { $0 >= 0 }.map { pool.phrases[Int($0)] }
                            .joined(separator: "; "))
                }
        }
        return Attachment(
            "images.csv",
            .list(
                header: ["image"] + (hasCaptions ? ["caption"] : []) + ["active_neurons"]
                    + ConceptScore.allCases.map { "by_\($0.rawValue)" }, rows: rows))
    }
}
