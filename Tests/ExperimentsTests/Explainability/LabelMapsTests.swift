import Attribution
import CLIPModel
import DenseMath
import Foundation
import TestSupport
import Testing

@testable import Experiments

/// Maps of labels by every case, on a tiny model.
@Suite struct LabelMapsTests {
    private let clip: CLIP
    private let classifier: Tensor
    private let empty: Tensor
    private let images: StoredImages
    private static let cases = ExplainabilityCase.all(depth: 2, secondOrder: false)

    init() throws {
        let folder = try TinyModelFolder()
        clip = try CLIP(folder: folder.url)
        try FileManager.default.removeItem(at: folder.url)
        classifier = clip.embed(texts: ["a", "b", "c", "d", "e"])
        empty = clip.embed(texts: [""])
        images = try StoredImages(size: 12)
    }

    private func mapper(_ cases: [ExplainabilityCase] = cases, seed: Int = 0) throws -> LabelMapper {
        try LabelMapper(clip, cases, classifier: classifier, empty: empty, secondOrder: nil, size: 12, seed: seed)
    }

    @Test func everyMapFillsTheImageFromZeroToOne() throws {
        let (mapper, reader) = (try mapper(), try images.reader())
        for image in 0..<3 {
            let maps = try mapper.run(reader, image, of: StoredImages.name)
            for item in Self.cases {
                let map = try maps.map(item, of: 1, shown: [1])
                #expect(map.count == 144 && map.allSatisfy { (0...1).contains($0) }, "\(item.name)")
            }
        }
    }

    /// Each image's numbers are its own, whatever ran before and whichever other cases there are.
    @Test func mapsDependOnTheirImageAndLabelAlone() throws {
        let (mapper, reader) = (try mapper(), try images.reader())
        for image in [2, 0, 2] {
            let maps = try mapper.run(reader, image, of: StoredImages.name)
            for item in Self.cases {
                // Labels by turns: gradients and relevances are kept for one.
                for label in [0, 4, 0] {
                    let alone = try self.mapper([item]).run(reader, image, of: StoredImages.name)
                    let (found, expected) = (
                        try maps.map(item, of: label, shown: []), try alone.map(item, of: label, shown: [])
                    )
                    #expect(largestError(found, expected) < 1e-5, "\(item.name), label \(label) of image \(image)")
                }
            }
        }
    }

    @Test func aReadingsMapIsItsPatchesSimilarities() throws {
        let (mapper, reader) = (try mapper(), try images.reader())
        let tokens = try TokenReader(
            try clip.vision.resized(to: 12), [.surgery(depth: 2)], classifier: classifier
        ).run(reader, 1, of: StoredImages.name)
        let maps = try mapper.run(reader, 1, of: StoredImages.name)
        let similarities = try tokens.similarities(.surgery(depth: 2))
        let expected = HeatMap(side: 3, values: (1..<10).map { similarities.elements[$0 * 5 + 3] }).normalised()
            .resized(to: 12)
        #expect(largestError(try maps.map(.reading(.surgery(depth: 2)), of: 3, shown: []), expected.values) < 1e-5)
    }

    @Test func theModelsAnswerIsTheLargestCosine() throws {
        let (mapper, reader) = (try mapper(), try images.reader())
        for image in 0..<5 {
            let answer = try mapper.run(reader, image, of: StoredImages.name).answer
            let tokens = TokenReader(try clip.vision.resized(to: 12), [.clip], classifier: classifier)
            let cosines = try tokens.run(reader, image, of: StoredImages.name).ofImage(.clip)
            let sorted = cosines.sorted(by: >)
            #expect(cosines[answer.label] == sorted[0] && abs(answer.margin - (sorted[0] - sorted[1])) < 1e-6)
        }
    }

    @Test func theAbsentLabelIsOneThatTheImageDoesNotShow() throws {
        let (mapper, otherMapper, reader) = (try mapper(), try mapper(seed: 1), try images.reader())
        var drawn: [[Int]] = [[], []]
        for image in 0..<5 {
            let maps = try mapper.run(reader, image, of: StoredImages.name)
            let other = try otherMapper.run(reader, image, of: StoredImages.name)
            for shown in [[0, 1], [4], [], [-1, 2, 2], [0, 1, 2, 4]] {
                let label = maps.absentLabel(shown)
                #expect((0..<5).contains(label) && !shown.contains(label), "\(label) of \(shown)")
                #expect(maps.absentLabel(shown) == label)
                drawn[0].append(label)
                drawn[1].append(other.absentLabel(shown))
            }
        }
        #expect(drawn[0] != drawn[1] && Set(drawn[0]).count == 5)
        let maps = try mapper.run(reader, 4, of: StoredImages.name)
        // Of an image that shows every label there is none; a map is made all the same.
        #expect(maps.absentLabel([0, 1, 2, 3, 4]) == 0)
        let control = ExplainabilityCase.absentLabel(.surgery(depth: 2))
        let absent = maps.absentLabel([1])
        #expect(
            try maps.map(control, of: 1, shown: [1]) == maps.map(.reading(.surgery(depth: 2)), of: absent, shown: []))
    }
}
