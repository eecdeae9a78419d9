import ArgumentParser
import Foundation
import Inputs

/// `runner scenes …`: the pictures of the emoji world.
struct Scenes: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make scenes of the emoji world.", subcommands: [Stream.self])

    /// `runner scenes stream`: scenes as fixed-size records, for a trainer that reads a pipe.
    struct Stream: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write scenes to standard output: one line of JSON, then a record for each scene.",
            discussion: """
                A record is imageSize × imageSize × 3 bytes of RGB, the main and the second label as \
                little-endian UInt16 (65535: none), and the caption in UTF-8, padded with NUL to captionBytes.
                """)

        @Option(help: "train, fit, val, seg or val-r")
        var split = "train"
        @Option(help: "Index of the first scene.")
        var first = 0
        @Option(help: "Number of scenes.")
        var count = 1000
        @Option(help: "A JSON file with the keys of the scene recipe that differ from the defaults.")
        var recipe: String?

        func run() throws {
            guard let split = SceneSplit(rawValue: split) else {
                throw InputError.unknownSplit(name: split, known: SceneSplit.allCases.map(\.rawValue))
            }
            var chosen = SceneRecipe()
            if let recipe {
                chosen = try JSONDecoder().decode(SceneRecipe.self, from: Data(contentsOf: URL(fileURLWithPath: recipe)))
            }
            let compositor = try SceneCompositor(sources: EmojiSources(), recipe: chosen)
            try SceneStream(compositor: compositor).write(split, first..<first + count, to: .standardOutput)
        }
    }
}
