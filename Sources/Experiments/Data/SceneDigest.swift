import Foundation
import Foundations
import Inputs
import Pipeline

/// The digest of a split that the manifest states: pixels, then labels, second labels (little-endian
/// Int32) and masks.
enum SceneDigest {
    static func of(_ shards: [ImageShard]) -> String {
        func bytes(_ values: [Int32]) -> Data {
            values.reduce(into: Data()) { data, value in
                withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
            }
        }
        return Digest.sha256(
            of: shards.map(\.pixels) + [
                bytes(shards.flatMap(\.facts.labels)),
                bytes(shards.flatMap(\.facts.objects).map { $0.count > 1 ? $0[1] : -1 }),
            ]
                + shards.map(\.masks))
    }

    /// - Throws: `PipelineError.damaged`.
    static func of(_ shards: Shards<ImageShard>) throws -> String {
        of(try (0..<shards.count).map { try shards[$0] })
    }
}
