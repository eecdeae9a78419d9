import Attribution
import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Pipeline
import TestSupport
import Testing

@testable import Experiments

/// The steps on heat maps and labels of pixels, each by itself, against maps that are made one at a time.
@Suite struct MapStepTests {
    let sample: StepSample
    let fitted: Study.Fitted
    let directions: FittedDirections
    let classifier: (handle: StepHandle<StoredClassifier>, stored: StoredClassifier)

    init() throws {
        sample = try StepSample()
        fitted = try sample.fitted()
        directions = try sample.directions(fitted)
        classifier = try sample.classifier()
    }

    static func spec() throws -> SegmentationSpec {
        try SegmentationSpec(
            HandMade.document(
                "segmentation",
                """
                neurons: 3
                neuron-layers: [0, 1]
                overlays: 2
                seed: 5
                sensitivity: {images: 7, neurons: [1, 4], thresholds: [0.25, 0.5]}
                controls: {accuracy-floor: 0.1}
                """), choices: HandMade.choices)
    }

    /// The map of one image of the evaluation set, by a pass of its own.
    func onImage<Value>(_ image: Int, _ body: (AttributionPass) throws -> Value) throws -> Value {
        let clip = try sample.model.clip.value()
        let workspace = AttributionWorkspace(
            clip.vision, classifier: classifier.stored.weights, logitScale: exp(clip.logitScale))
        let bytes = 3 * StepSample.size * StepSample.size
        return try Array(sample.evaluationPixels[image * bytes..<(image + 1) * bytes]).withUnsafeBufferPointer {
            try body(workspace.run(try #require($0.baseAddress)))
        }
    }

    /// The neurons of some layers by |⟨r_n, text⟩|, the largest first.
    func neurons(of label: Int, layers: [Int], count: Int) throws -> [(layer: Int, neuron: Int)] {
        let text = classifier.stored.weights[row: label].map(Double.init)
        let all = try layers.flatMap { layer in
            let rows = try directions.layer(layer).directions.directions
            return (0..<sample.neurons).map { n in (layer, n, abs(rows[row: n].map(Double.init).dot(text))) }
        }
        return all.sorted { $0.2 > $1.2 }.prefix(count).map { ($0.0, $0.1) }
    }

    func foreground(_ image: Int) -> [UInt8] { sample.masks[image].map { $0 == 255 ? 255 : $0 == 1 ? 1 : 0 } }

    @Test func segmentation() throws {
        let spec = try Self.spec()
        let found = try SegmentationStep(
            model: sample.model, images: sample.evaluation, classifier: classifier.handle,
            directions: fitted.directions,
            spec: spec, layers: [0, 1]
        ).result(of: sample.given)
        #expect(found.images == 7 && found.cases == SegmentationCase.all.count && found.rules == 2)
        let oracles = sample.literal(sample.evaluationPixels)
        for image in 0..<7 {
            let answer = sample.answer(oracles[image].scaled, classifier.stored.weights)
            let predicted = Int(found.predicted[image])
            #expect(predicted == answer.label || answer.margin < 0.01)
            // Neither what the image shows nor what the model sees.
            let absent = Int(found.absent[image])
            #expect(![image % 5, (image + 2) % 5, predicted].contains(absent))
            try onImage(image) { pass in
                for (index, item) in SegmentationCase.all.enumerated() {
                    let label = item.query == .predicted ? predicted : absent
                    var map: HeatMap
                    switch item.maker {
                    case .randomNeurons:
                        var random = SplitMix64(seed: 5, label: "neurons of a random map", index: UInt64(image))
                        map = pass.secondOrderMap(
                            neurons: random.sample(3, of: 2 * sample.neurons).map {
                                ($0 / sample.neurons, $0 % sample.neurons)
                            })
                    case .method(.secondOrder):
                        map = pass.secondOrderMap(neurons: try neurons(of: label, layers: [0, 1], count: 3))
                    case .method(let method): map = pass.map(method, class: label)
                    }
                    map = map.resized(to: StepSample.size)
                    if item.maker == .method(.textSpan) { map = map.clippedAtZero() }
                    let values = map.normalised().values
                    for (rule, entry) in spec.rules.enumerated() {
                        let expected = try SegmentationCounts(map: values, mask: foreground(image), rule: entry.rule)
                        #expect(
                            SegmentationScores.counts(found.rows(of: index, rule: rule)[image]) == expected,
                            "\(item), image \(image)")
                    }
                    let precision =
                        map.isConstant
                        ? 0.5
                        : try SegmentationCounts.pooledAveragePrecision(map: values, mask: foreground(image))
                    #expect(abs(found.precisions(of: index)[image] - precision) < 1e-6)
                    #expect(found.isConstant(of: index)[image] == map.isConstant)
                }
            }
        }
    }

    @Test func segmentationSensitivity() throws {
        let spec = try Self.spec()
        let grid = SensitivityGrid(spec, layers: sample.layers)
        let found = try SensitivityStep(
            model: sample.model, images: sample.evaluation, classifier: classifier.handle,
            directions: fitted.directions,
            grid: grid, layers: sample.layers
        ).result(of: sample.given)
        #expect(grid.layerSets == [[0], [1], [2], [0, 1]] && found.cases == 8 && found.rules == 2)
        for image in 0..<7 {
            try onImage(image) { pass in
                for (set, layers) in grid.layerSets.enumerated() {
                    for (position, count) in grid.neurons.enumerated() {
                        let map = pass.secondOrderMap(
                            neurons: try neurons(of: Int(found.predicted[image]), layers: layers, count: count))
                        let values = map.resized(to: StepSample.size).normalised().values
                        for (rule, threshold) in grid.thresholds.enumerated() {
                            let expected = try SegmentationCounts(
                                map: values, mask: foreground(image), rule: .above(Float(threshold)))
                            let row = found.rows(of: grid.index(layerSet: set, neurons: position), rule: rule)[image]
                            #expect(
                                SegmentationScores.counts(row) == expected,
                                "layers \(layers), \(count) neurons, image \(image)")
                        }
                    }
                }
            }
        }
    }

    @Test func segmentationOverlays() throws {
        let picture = try SegmentationOverlaysStep(
            model: sample.model, images: sample.evaluation, classifier: classifier.handle,
            directions: fitted.directions,
            spec: Self.spec(), layers: [0, 1], names: sample.classNames
        ).result(of: sample.given)
        try expectTable(picture, rows: 2, columns: 3 + AttributionMethod.all.count)
    }

    /// A picture for people, and its table with as many rows and columns.
    func expectTable(_ picture: StoredGallery, rows: Int, columns: Int) throws {
        #expect(picture.png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        let table = try ArtefactJSON.decode(PictureTable.self, from: picture.table)
        #expect(table.rows.count == rows && table.columnHeaders.count == columns)
        #expect(table.rows.allSatisfy { $0.cells.count == columns && $0.cells.allSatisfy { $0.jpeg != nil } })
    }

    // MARK: Labels

    func study() throws -> PictureStudy {
        PictureStudy(
            setting: try SurgerySample.document("explainability").read {
                SettingSpec($0, besides: ["evaluation"], choices: HandMade.choices)
            },
            model: sample.model,
            inputSize: StepSample.size, images: sample.evaluation,
            classes: StudyClasses(names: sample.classNames, templates: ["a {}"], scenes: nil), isPartial: false)
    }

    /// The labels that an image shows, with their pixels: 1 on 0, 255 where nothing counts.
    func shown(_ image: Int) -> [(label: Int, mask: [UInt8])] {
        [(image % 5, UInt8(1)), ((image + 2) % 5, 2)].compactMap { label, number in
            let mask = sample.masks[image]
            guard mask.contains(number) else { return nil }
            return (label, mask.map { $0 == 255 ? 255 : $0 == number ? 1 : 0 })
        }
    }

    @Test func labelSimilarities() throws {
        let found = try LabelSimilaritiesStep(study: study(), classifier: classifier.handle).result(of: sample.given)
        #expect(found.cosines.shape == [7, 5])
        for (image, oracle) in sample.literal(sample.evaluationPixels).enumerated() {
            let expected = (0..<5).map {
                oracle.representation.dot(classifier.stored.weights[row: $0].map(Double.init))
                    / oracle.representation.length
            }
            #expect(relativeError(found.cosines[row: image], expected) < 1e-4)
        }
    }

    @Test func recognitionPrecisions() throws {
        let (handle, similarities) = try sample.compute(
            LabelSimilaritiesStep(study: study(), classifier: classifier.handle))
        let found = try RecognitionPrecisionsStep(
            model: sample.model, similarities: handle, facts: sample.evaluation.facts, seed: 1
        ).result(of: sample.given)
        #expect(found.items.count == 6 && found.gains.count == 2)
        // Precision at each image that shows the label, in the order of the cosines; every image shows two labels.
        let precisions = (0..<5).map { label in
            let order = (0..<7).sorted {
                similarities.cosines[row: $0].map { $0 }[label] > similarities.cosines[row: $1].map { $0 }[label]
            }
            let hits = order.map { [$0 % 5, ($0 + 2) % 5].contains(label) }
            let places = hits.indices.filter { hits[$0] }
            return places.enumerated().reduce(0) { $0 + Double($1.offset + 1) / Double($1.element + 1) }
                / Double(places.count)
        }
        for item in found.items where item.score == .cosine {
            #expect(item.images == 7 && item.labels == 5)
            #expect(abs(item.meanAP - precisions.reduce(0, +) / 5) < 1e-6, "\(item.subset)")
        }
    }

    @Test func explainability() throws {
        let study = try study()
        let empty = try sample.compute(ClassifierStep(model: sample.model, names: [""], templates: ["a {}"]))
        let source = ExplainabilityInputs(
            study: study, classifier: classifier.handle, empty: empty.0, secondOrder: (fitted.directions, [0, 1], 3))
        let cases: [ExplainabilityCase] = [
            .reading(.clip), .attribution(.gradcam), .attribution(.secondOrder), .reading(.surgery(depth: 2)),
            .wholePicture,
        ]
        let found = try ExplainabilityStep(source: source, cases: cases, label: "", count: 6).result(of: sample.given)
        #expect(found.images == 6 && found.cases == 5)
        let reader = TokenReader(
            sample.vision, [.clip, .surgery(depth: 2)], classifier: classifier.stored.weights, empty: empty.1.weights)
        var (pair, curves) = (0, [[Double]](repeating: [Double](repeating: 0, count: 101), count: 5))
        let bytes = 3 * StepSample.size * StepSample.size
        for image in 0..<6 {
            let labels = shown(image)
            #expect(Int(found.pairCounts[image]) == labels.count)
            let tokens = try reader.run(
                Array(sample.evaluationPixels[image * bytes..<(image + 1) * bytes]), named: "")
            for (label, mask) in labels {
                #expect(Int(found.labels[pair]) == label)
                try onImage(image) { pass in
                    let maps: [HeatMap] = [
                        try tokens.map(.clip, of: label), pass.map(.gradcam, class: label),
                        pass.secondOrderMap(neurons: try neurons(of: label, layers: [0, 1], count: 3)),
                        try tokens.map(.surgery(depth: 2), of: label),
                    ]
                    let values =
                        maps.map { $0.normalised().resized(to: StepSample.size).values } + [
                            [Float](repeating: 1, count: 64)
                        ]
                    for (item, map) in values.enumerated() {
                        let counted = zip(map, mask).filter { $0.1 != 255 }
                        let (inside, outside) = (
                            counted.filter { $0.1 == 1 }.map(\.0), counted.filter { $0.1 == 0 }.map(\.0)
                        )
                        let contrast = inside.mean - outside.mean
                        #expect(
                            abs(found.contrast(pair, item) - contrast) < 1e-5, "\(cases[item].name), image \(image)")
                        let curve = try IntersectionCurve.hundredths.ratios(map: map, mask: mask)
                        for (step, ratio) in try #require(curve).enumerated() { curves[item][step] += Double(ratio) }
                        let best = try #require(curve)[Int(found.best[item])]
                        #expect(abs(found.ratio(pair, item) - best) < 1e-6)
                    }
                }
                pair += 1
            }
        }
        #expect(pair == found.pairs)
        for item in 0..<5 {
            let curve = curves[item].map { $0 / Double(pair) }
            for (value, expected) in zip(found.curve(of: item), curve) { #expect(abs(value - expected) < 1e-5) }
            #expect(curve[Int(found.best[item])] > (curve.max() ?? 1) - 1e-6)
        }
        let picture = try ExplainabilityOverlaysStep(source: source, cases: cases, count: 2).result(of: sample.given)
        try expectTable(picture, rows: shown(0).count + shown(1).count, columns: 2 + cases.count)
    }

    @Test func attentionWithinLabels() throws {
        let found = try AttentionStep(study: study(), depth: 2).result(of: sample.given)
        let recipe = SurgeryRecipe.surgery(depth: 2)
        let workspace = SurgeryWorkspace(sample.vision, recipes: [recipe], capacity: 1)
        let bytes = 3 * StepSample.size * StepSample.size
        let plain = sample.literal(sample.evaluationPixels)
        for image in 0..<7 {
            let pass = workspace.run(
                Array(sample.evaluationPixels[image * bytes..<(image + 1) * bytes]), batch: 1)
            var sums = [Double](repeating: 0, count: 3)
            var pairs = 0.0
            for (_, mask) in shown(image) {
                // A patch is the label's where more than half of its 16 pixels are.
                let patches = (0..<4).map { patch in
                    (0..<16).count { mask[(patch / 2 * 4 + $0 / 4) * 8 + patch % 2 * 4 + $0 % 4] == 1 } > 8
                }
                guard let raw = pass.attentionWithin(patches, .queryKey, depth: 2),
                    let own = pass.attentionWithin(patches, .valueValue, depth: 2)
                else { continue }
                sums = sums.plus([raw, own, Double(patches.count { $0 } - 1) / 3])
                pairs += 1
            }
            for (kind, sum) in zip(AttentionWithinLabels.Kind.allCases, sums) {
                #expect(abs(found.rows(kind)[image][0] - sum) < 1e-5 && found.rows(kind)[image][1] == pairs)
            }
            let changed = (0..<sample.width).map { Double(pass.embed(recipe)[$0]) }
            let change = (changed - plain[image].representation).length / plain[image].representation.length
            #expect(abs(Double(found.classTokenChanges[image]) - change) < 1e-4)
        }
    }

    @Test func openVocabularySegmentation() throws {
        let study = try study()
        let found = try OpenVocabularyStep(study: study, depth: 2, classifier: classifier.handle).result(
            of: sample.given)
        let cases = OpenVocabularyCase.all(depth: 2)
        let reader = TokenReader(
            sample.vision, OpenVocabularyCase.readings(depth: 2), classifier: classifier.stored.weights)
        let bytes = 3 * StepSample.size * StepSample.size
        for image in 0..<7 {
            let tokens = try reader.run(
                Array(sample.evaluationPixels[image * bytes..<(image + 1) * bytes]), named: "")
            let labels = shown(image).map(\.label)
            let truth = sample.masks[image].map { $0 == 1 ? image % 5 : $0 == 2 ? (image + 2) % 5 : -1 }
            for (index, item) in cases.enumerated() {
                let among = item.choice == .all ? Array(0..<5) : labels
                let entries = found.entriesOrNothing(of: index)[image]
                guard item.choice == .all || labels.count > 1 else {
                    #expect(entries.isEmpty)
                    continue
                }
                let given = ArgmaxLabels.of(
                    try tokens.similarities(item.reading), sample.vision.layout, among: among, size: 8
                ).map(Int.init)
                for entry in entries {
                    let label = Int(entry.label)
                    #expect(Int(entry.shown) == truth.count { $0 == label })
                    #expect(Int(entry.found) == zip(given, truth).count { $0.0 == label && $0.1 >= 0 })
                    #expect(Int(entry.hit) == zip(given, truth).count { $0.0 == label && $0.1 == label })
                }
                #expect(entries.reduce(0) { $0 + Int($1.shown) } == truth.count { $0 >= 0 })
            }
        }
        let several = (0..<7).count { shown($0).count > 1 }
        let picture = try OpenVocabularyOverlaysStep(
            study: study, depth: 2, classifier: classifier.handle, count: 3
        ).result(of: sample.given)
        try expectTable(picture, rows: min(3, several), columns: 2 + OpenVocabularyCase.readings(depth: 2).count)
    }
}

extension [Float] {
    fileprivate var mean: Float { reduce(0, +) / Float(count) }
}
