import Foundation
import Pipeline
import Safetensors

/// What is known of the images of a set, without their pixels.
public struct ImageFacts: Artefact, Equatable {
    /// Class of the image, or of its main object. // [count]
    public var labels: [Int32] = []
    /// Class of a second object, −1 for none. // [count]
    public var secondLabels: [Int32] = []
    public var captions: [String] = []
    /// Digest of each image's pixels: its identity, wherever it stands. // [count]
    public var digests: [String] = []

    public var count: Int { labels.count }

    /// Adds the images that follow.
    mutating func append(_ next: ImageFacts) {
        labels += next.labels
        secondLabels += next.secondLabels
        captions += next.captions
        digests += next.digests
    }
}

extension ImageFacts {
    public init(_ stored: StoredArtefact) throws {
        func lines(_ name: String) -> [String] {
            let text = stored.metadata(name) ?? ""
            return text.isEmpty ? [] : text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        labels = try stored.tensor("labels").int32s()
        secondLabels = try stored.tensor("second-labels").int32s()
        (captions, digests) = (lines("captions"), lines("digests"))
        guard [secondLabels.count, captions.count, digests.count].allSatisfy({ $0 == count }) else {
            throw PipelineError.invalidArtefact(part: "facts of images", reason: "not all of \(count) images")
        }
    }

    public func stored() throws -> StoredArtefact {
        .tensors(
            [
                "labels": try StoredTensor(labels, shape: [count]),
                "second-labels": try StoredTensor(secondLabels, shape: [count]),
            ],
            metadata: ["captions": captions.joined(separator: "\n"), "digests": digests.joined(separator: "\n")])
    }
}
