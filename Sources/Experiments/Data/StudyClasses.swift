import Foundation
import Foundations
import Inputs
import Pipeline

/// The classes that a zero-shot classifier chooses among, and what is known of them besides their names.
struct StudyClasses: Sendable {
    /// In label order.
    let names: [String]
    /// Sentences with `{}` for the name.
    let templates: [String]
    /// The scenes that show the classes; nil for pictures from elsewhere.
    let scenes: SceneDataset?
    /// What names and sentences are called as settings.
    var settings: [String: String] = [:]

    /// The scenes, for what only they can do.
    /// - Throws: ``ExperimentError/onlyForScenes(feature:)``.
    func requireScenes(_ feature: String) throws -> SceneDataset {
        guard let scenes else { throw ExperimentError.onlyForScenes(feature: feature) }
        return scenes
    }

    /// What names each class: its name and keywords; of pictures from elsewhere the name and its words. // [classes]
    /// - Throws: `InputError`.
    func words() throws -> [Set<String>] {
        if let scenes { return try scenes.concepts().map { Set([$0.name] + $0.keywords) } }
        return names.map { name in
            Set(
                [name, name.lowercased()]
                    + name.lowercased().split { !$0.isLetter && !$0.isNumber && $0 != "-" }.map(String.init))
        }
    }

    /// Names and keywords, each once.
    /// - Throws: `InputError`.
    func namesAndKeywords() throws -> [String] { try scenes?.namesAndKeywords() ?? names.uniqued() }

    /// A digest of what names the classes.
    /// - Throws: `InputError`.
    func digest() throws -> String {
        try scenes?.namesDigest() ?? Digest.sha256(of: Data(names.joined(separator: "\n").utf8))
    }
}
