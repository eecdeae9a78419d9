import CLIPModel
import DenseMath
import Foundations
import Inputs
import Lens
import Pipeline
import TestSupport
import Testing

@testable import Experiments

/// The steps of the adversarial search, each by itself.
@Suite struct SearchStepTests {
    /// Pictures whose pixels follow from the request, and none for every fifth.
    struct Painter: PictureGenerator {
        let identity = ["kind": "painter"]

        static func image(_ request: PictureRequest) -> RGBImage {
            var random = SplitMix64(seed: request.seed)
            return RGBImage(
                width: request.size, height: request.size,
                pixels: (0..<3 * request.size * request.size).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        }

        func pictures(
            _ requests: [PictureRequest], isCancelled: @Sendable () -> Bool
        ) throws -> [Result<GeneratedPicture, PictureFailure>] {
            requests.enumerated().map { index, request in
                index % 5 == 4
                    ? .failure(.notWritten) : .success(GeneratedPicture(image: Self.image(request), objects: ["moon"]))
            }
        }
    }

    @Test func searchWords() throws {
        var given = GivenInputs()
        let spec = try SearchSample.spec()
        let classifier = try given.add(StoredClassifier(SearchSample.classifier))
        let pool = SearchSample.pool
        let rows = Tensor(shape: [3, 3], elements: [0, -1, 1, 0, 0.5, 1, 1, 0, 0.25])
        let sampled = SampledEffects(
            layers: try [0, 2].reduce(into: [:]) {
                $0[$1] = try DescribedNeuronsTests.sampled([1, 3, 4], rows, ratios: [0.5, 0.99, 0.25]).layer(1)
            })
        let found = try SearchWordsStep(
            spec: spec, layers: [0, 2],
            classes: StudyClasses(names: SearchSample.classNames, templates: ["{}"], scenes: nil),
            classifier: classifier, names: classifier, directions: given.add(SearchSample.directions),
            sampled: given.add(sampled),
            pool: given.add(StoredTextPool(phrases: pool.phrases, embeddings: pool.embeddings)),
            texts: given.add(SearchSample.texts)
        ).result(of: given)
        let search = try SearchSample.search(
            spec, indirect: DescribedNeurons(sampled, pool: pool, size: 2, layers: [0, 2], gap: 0.95))
        let units = SearchUnit.all(spec)
        #expect(found.searches.map(\.unit) == units && found.withoutGap == .init(secondOrder: 0, indirect: 2))
        for (own, unit) in zip(found.searches, units) {
            #expect(own.phrases == search(unit).phrases && own.scores == search(unit).scores, "\(unit)")
        }
        #expect((0...1).contains(found.indirectFoundAgain))
    }

    @Test func searchDescriptionsPicturesAndFoolingPictures() throws {
        let sample = try StepSample()
        let spec = try SearchSample.spec()
        let units = SearchUnit.all(spec)
        let words = SearchWords(
            searches: units.map { unit in
                .init(
                    unit: unit, phrases: ["moon", "ship", "bone"], scores: [3, 2, 1], synonyms: [],
                    synonymSimilarities: [], neurons: [],
                    withoutPicture: 0)
            }, withoutGap: .init(secondOrder: 0, indirect: 0), indirectFoundAgain: 1)
        let (handle, descriptions) = try sample.compute(
            SearchDescriptionsStep(spec: spec, words: sample.given.add(words)))
        #expect(
            descriptions.descriptions.count == units.count && descriptions.descriptions.allSatisfy { $0.count == 2 })
        // Searches of one pair and repeat differ by their phrases only, and these are the same here.
        #expect(descriptions.descriptions[0] == descriptions.descriptions[spec.repeats])
        #expect(descriptions.descriptions[0] != descriptions.descriptions[1])

        let rows = Tensor(shape: [3, sample.width], elements: (0..<3 * sample.width).map { Float(($0 * 7) % 5) - 2 })
            .rowsNormalised()
        let classifier = try sample.given.add(StoredClassifier(ZeroShotClassifier(weights: rows)))
        let (pictures, found) = try sample.compute(
            SearchPicturesStep(
                model: sample.model, classNames: SearchSample.classNames, spec: spec, descriptions: handle,
                classifier: classifier,
                generator: Painter()))
        #expect(found.facts.count == units.count * spec.pictures)
        for (position, unit) in units.enumerated() {
            let pair = spec.pairs[unit.pair]
            let (from, to) = try (
                #require(SearchSample.classNames.firstIndex(of: pair.shown)),
                #require(SearchSample.classNames.firstIndex(of: pair.mistakenFor))
            )
            for picture in 0..<spec.pictures {
                let facts = found.facts[position * spec.pictures + picture]
                guard picture % 5 != 4 else {
                    #expect(facts.failure == .notWritten && facts.margin == nil)
                    continue
                }
                var random = SplitMix64(
                    seed: 7, label: "pictures of \(pair.name)", index: UInt64(unit.repeat * spec.pictures + picture))
                let image = Painter.image(
                    PictureRequest(
                        id: "", prompt: descriptions.descriptions[position][0], shown: "", forbidden: "",
                        seed: random.next() & 0xFFFF_FFFF, size: StepSample.size))
                let oracle = LiteralVision(sample.vision, image: image.pixels[...])
                let v = rows[row: to].map(Double.init) - rows[row: from].map(Double.init)
                let margin = oracle.representation.dot(v) / oracle.representation.length
                #expect(abs(Double(try #require(facts.margin)) - margin) < 1e-4, "\(unit), picture \(picture)")
                #expect(facts.description == picture / spec.imagesEach && facts.objects == ["moon"])
            }
        }

        let gallery = try FoolingPicturesStep(spec: spec, pair: 0, pictures: pictures, descriptions: handle).result(
            of: sample.given)
        let table = try ArtefactJSON.decode(PictureTable.self, from: gallery.table)
        #expect(table.rows.count == SearchMethod.allCases.count)
        for (method, row) in zip(SearchMethod.allCases, table.rows) {
            let fooling = units.indices.filter { units[$0].pair == 0 && units[$0].method == method }.reduce(0) {
                sum, unit in
                sum + found.facts[unit * spec.pictures..<(unit + 1) * spec.pictures].count(where: \.isFooling)
            }
            #expect(row.header == "\(method.title): \(fooling) of \(spec.repeats * spec.pictures)")
        }
    }
}
