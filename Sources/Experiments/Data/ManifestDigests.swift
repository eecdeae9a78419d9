import Foundation
import Foundations
import Inputs

/// The digests and sizes that a manifest states, computed from what is here.
public enum ManifestDigests {
    /// - Throws: `InputError` when a file is missing or malformed.
    public static func renewed(_ manifest: DatasetsManifest) throws -> DatasetsManifest {
        var result = manifest
        for (name, entry) in manifest.models {
            let folder = try manifest.model(name).folder
            var renewed = entry
            renewed.bytes = 0
            for file in entry.files.keys {
                let url = folder.appendingPathComponent(file)
                renewed.files[file] = try Digest.sha256(ofFile: url, purpose: "a file of the model \(name)")
                renewed.bytes += try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
            }
            result.models[name] = renewed
        }
        for (name, entry) in manifest.datasets {
            var renewed = entry
            for path in [\DatasetsManifest.DatasetEntry.Sources.font, \.annotations, \.emojiTest] {
                let source = renewed.sources[keyPath: path]
                renewed.sources[keyPath: path].sha256 = try Digest.sha256(
                    ofFile: URL(fileURLWithPath: source.path), purpose: "part of Debian's package \(source.package)")
            }
            let compositor = try SceneCompositor(
                sources: renewed.verifiedSources(name: name), recipe: entry.recipe, seed: entry.seed)
            for split in SceneSplit.allCases {
                guard let count = split.count else { continue }
                let scenes = ImageShard(
                    (0..<count).map { compositor.scene(split, $0) }, imageSize: entry.recipe.imageSize)
                renewed.splits[split.rawValue] = DatasetsManifest.DatasetEntry.Split(
                    count: count, sha256: SceneDigest.of([scenes]))
            }
            result.datasets[name] = renewed
        }
        return result
    }
}
