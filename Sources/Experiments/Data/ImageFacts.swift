import Foundation
import Pipeline
import Safetensors

/// What is known of the images of a set, without their pixels.
public struct ImageFacts: Artefact, Equatable {
    /// Class of the image, or of its main object; −1 where there is no one class. // [count]
    public private(set) var labels: [Int32] = []
    /// Classes of all objects that an image shows, the main one first; −1 for one that is none of the classes.
    /// A mask's number k is the k-th. // [count][objects]
    public private(set) var objects: [[Int32]] = []
    public private(set) var captions: [String] = []
    /// Digest of each image's pixels: its identity, wherever it stands. // [count]
    public private(set) var digests: [String] = []

    public var count: Int { labels.count }

    init() {}

    /// Those of one image.
    struct One {
        let label: Int32
        let objects: [Int32]
        let caption: String
    }

    subscript(_ index: Int) -> One { One(label: labels[index], objects: objects[index], caption: captions[index]) }

    /// Adds one image.
    mutating func append(label: Int32, objects: [Int32], caption: String, digest: String) {
        labels.append(label)
        self.objects.append(objects)
        captions.append(caption)
        digests.append(digest)
    }

    /// Adds the images that follow.
    mutating func append(_ next: ImageFacts) {
        labels += next.labels
        objects += next.objects
        captions += next.captions
        digests += next.digests
    }
}

extension ImageFacts {
    public init(_ stored: StoredArtefact) throws {
        func lines(_ name: String) -> [String] {
            let text = stored.metadata(name) ?? ""
            return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        labels = try stored.tensor("labels").int32s()
        let all = try stored.tensor("objects").int32s()
        let counts = try stored.tensor("object-counts").int32s()
        guard counts.allSatisfy({ $0 >= 0 }), counts.reduce(0, { $0 + Int($1) }) == all.count else {
            throw PipelineError.invalidArtefact(part: "facts of images", reason: "\(all.count) objects")
        }
        var start = 0
        objects = counts.map { count in
            defer { start += Int(count) }
            return Array(all[start..<start + Int(count)])
        }
        if !labels.isEmpty { (captions, digests) = (lines("captions"), lines("digests")) }
        guard [objects.count, captions.count, digests.count].allSatisfy({ $0 == count }) else {
            throw PipelineError.invalidArtefact(part: "facts of images", reason: "not all of \(count) images")
        }
    }

    public func stored() throws -> StoredArtefact {
        let all = objects.flatMap { $0 }
        return .tensors(
            [
                "labels": try StoredTensor(labels, shape: [count]), "objects": try StoredTensor(all, shape: [all.count]),
                "object-counts": try StoredTensor(objects.map { Int32($0.count) }, shape: [count]),
            ],
            metadata: ["captions": captions.joined(separator: "\n"), "digests": digests.joined(separator: "\n")])
    }
}
