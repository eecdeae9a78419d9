import Foundation
import Inputs
import TestSupport
import Testing

/// The records that the training script reads.
@Suite struct SceneStreamTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    func stream(_ split: SceneSplit, _ indices: Range<Int>) throws -> Data {
        let url = try folder.file("stream", "")
        let handle = try FileHandle(forWritingTo: url)
        defer { try? handle.close() }
        try SceneStream(compositor: World.compositor()).write(split, indices, to: handle)
        return try Data(contentsOf: url)
    }

    @Test func recordsHoldTheScenes() throws {
        let compositor = try World.compositor()
        let data = try stream(.train, 60..<130)
        let newline = try #require(data.firstIndex(of: UInt8(ascii: "\n")))
        let header = try #require(JSONSerialization.jsonObject(with: data.prefix(upTo: newline)) as? [String: Any])
        #expect(header["imageSize"] as? Int == 64)
        #expect((header["names"] as? [String]) == compositor.catalogue.names)
        let captionBytes = try #require(header["captionBytes"] as? Int)
        let imageBytes = 64 * 64 * 3
        let recordBytes = imageBytes + 4 + captionBytes
        let records = data.suffix(from: newline + 1)
        #expect(records.count == 70 * recordBytes)
        for (offset, index) in [(0, 60), (63, 123), (64, 124), (69, 129)] {
            let scene = compositor.scene(.train, index)
            let record = Array(records.dropFirst(offset * recordBytes).prefix(recordBytes))
            #expect(Array(record.prefix(imageBytes)) == scene.image.pixels)
            #expect(Int(record[imageBytes]) + 256 * Int(record[imageBytes + 1]) == scene.label)
            #expect(Int(record[imageBytes + 2]) + 256 * Int(record[imageBytes + 3]) == scene.secondLabel ?? 65535)
            #expect(String(decoding: record.suffix(captionBytes).prefix { $0 != 0 }, as: UTF8.self) == scene.caption)
        }
    }

    @Test(arguments: [-1..<3, Int.min..<0, 0..<Int.max]) func impossibleIndicesAreRefused(indices: Range<Int>) {
        guard case .outOfRange("the index of a scene", _, _)? = inputError({ try stream(.val, indices) }) else {
            Issue.record("accepted")
            return
        }
    }
}
