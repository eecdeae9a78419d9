import ArgumentParser
import Foundation
import Inputs

/// `runner scenes …`: the pictures of the emoji world.
struct ScenesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenes", abstract: "Make scenes of the emoji world.", subcommands: [Stream.self])

    /// Which scenes.
    struct Selection: ParsableArguments {
        @Option(help: "train, fit, val, seg or val-r")
        var split = "val"
        @Option(help: "Index of the first scene.")
        var first = 0
        @Option(help: "A JSON file with the keys of the scene recipe that differ from the defaults.")
        var recipe: String?

        func validate() throws {
            if first < 0 { throw ValidationError("--first has to be at least 0") }
        }

        func chosenSplit() throws -> SceneSplit {
            guard let chosen = SceneSplit(rawValue: split) else {
                throw InputError.unknownSplit(name: split, known: SceneSplit.allCases.map(\.rawValue))
            }
            return chosen
        }

        func compositor() throws -> SceneCompositor {
            try SceneCompositor(sources: EmojiSources(), recipe: recipe.map { try SceneRecipe(contentsOf: URL(fileURLWithPath: $0)) } ?? SceneRecipe())
        }
    }

    /// `runner scenes stream`: fixed-size records for a trainer that reads a pipe.
    struct Stream: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write scenes to standard output: one line of JSON, then a record for each scene.",
            discussion: """
                A record is imageSize × imageSize × 3 bytes of RGB, the main and the second label as \
                little-endian UInt16 (65535: none), and the caption in UTF-8, padded with NUL to captionBytes.
                """)

        @OptionGroup var selection: Selection
        @Option(help: "Number of scenes.")
        var count = 1000

        func validate() throws {
            if count < 0 || count > Int.max / 2 { throw ValidationError("--count has to be at least 0") }
        }

        func run() throws {
            // A reader that has enough closes the pipe; writing then fails instead of ending the process.
            signal(SIGPIPE, SIG_IGN)
            try SceneStream(compositor: selection.compositor()).write(
                selection.chosenSplit(), selection.first..<selection.first + count, to: .standardOutput)
        }
    }
}
