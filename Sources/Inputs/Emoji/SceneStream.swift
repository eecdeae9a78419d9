import Foundation
import Foundations

/// Scenes as a stream of fixed-size records, read by the training script.
public struct SceneStream {
    /// Bytes of a record's caption field.
    static let captionBytes = 128
    static let scenesPerBatch = 64
    /// Far more than anybody makes, and far from the end of the integers.
    static let indices = 0...1 << 48
    let compositor: SceneCompositor

    public init(compositor: SceneCompositor) { self.compositor = compositor }

    private struct Header: Encodable {
        let imageSize: Int
        let captionBytes: Int
        let names: [String]
        let keywords: [[String]]
        let templates: [String]
        let recipe: SceneRecipe
        let recipeDigest: String
    }

    /// Writes the header line and the records of `indices`.
    /// - Throws: ``InputError/outOfRange(what:value:allowed:)`` for indices that no scene has, or an
    ///   error of the file handle, such as a reader that went away.
    public func write(_ split: SceneSplit, _ indices: Range<Int>, to handle: FileHandle) throws {
        for index in [indices.lowerBound, indices.upperBound] where !Self.indices.contains(index) {
            throw InputError.outOfRange(what: "the index of a scene", value: index, allowed: Self.indices)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let recipe = try encoder.encode(compositor.recipe)
        let header = Header(
            imageSize: compositor.recipe.imageSize, captionBytes: Self.captionBytes,
            names: compositor.catalogue.names, keywords: compositor.catalogue.concepts.map(\.keywords),
            templates: SceneCaption.templates, recipe: compositor.recipe,
            recipeDigest: Digest.sha256(of: recipe))
        try handle.write(contentsOf: encoder.encode(header) + Data("\n".utf8))
        for start in stride(from: indices.lowerBound, to: indices.upperBound, by: Self.scenesPerBatch) {
            var batch = Data()
            for index in start..<min(start + Self.scenesPerBatch, indices.upperBound) {
                batch.append(record(compositor.scene(split, index)))
            }
            try handle.write(contentsOf: batch)
        }
    }

    private func record(_ scene: EmojiScene) -> Data {
        var data = Data(scene.image.pixels)
        for label in [UInt16(scene.label), scene.secondLabel.map(UInt16.init) ?? .max] {
            withUnsafeBytes(of: label.littleEndian) { data.append(contentsOf: $0) }
        }
        var caption = Data(scene.caption.utf8.prefix(Self.captionBytes))
        caption.append(Data(count: Self.captionBytes - caption.count))
        return data + caption
    }
}
