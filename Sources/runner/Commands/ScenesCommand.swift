import ArgumentParser
import Foundation
import Foundations
import Inputs

/// `runner scenes …`: the pictures of the emoji world.
struct ScenesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenes", abstract: "Make scenes of the emoji world.", subcommands: [Sheet.self, Stream.self])

    /// Which scenes.
    struct Selection: ParsableArguments {
        @Option(help: "train, fit, val, seg or val-r")
        var split = "val"
        @Option(help: "Index of the first scene.")
        var first = 0
        @Option(help: "The list of models and data sets.")
        var manifest = "datasets.manifest"
        @Option(help: "The data set whose recipe and seed make the scenes.")
        var dataset = "emoji-scenes"
        @Option(
            help:
                "A JSON file with the keys of a scene recipe that differ from the defaults, instead of the data set's.")
        var recipe: String?

        /// More scenes than anyone draws, and far from where sums of indices overflow.
        private var largestIndex: Int { 1 << 48 }

        func validate() throws {
            guard (0...largestIndex).contains(first) else {
                throw ValidationError("--first has to be from 0 to \(largestIndex)")
            }
        }

        func chosenSplit() throws -> SceneSplit {
            guard let chosen = SceneSplit(rawValue: split) else {
                throw InputError.unknownSplit(name: split, known: SceneSplit.allCases.map(\.rawValue))
            }
            return chosen
        }

        func compositor() throws -> SceneCompositor {
            let entry = try DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest)).dataset(dataset)
            return try SceneCompositor(
                sources: entry.verifiedSources(name: dataset),
                recipe: recipe.map { try SceneRecipe(contentsOf: URL(fileURLWithPath: $0)) } ?? entry.recipe,
                seed: entry.seed)
        }
    }

    /// `runner scenes sheet`: 40 scenes for a person to look at.
    struct Sheet: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a picture of 40 scenes with their captions.")

        @OptionGroup var selection: Selection
        @Option(help: "The PNG file to write.")
        var output = "contact-sheet.png"
        @Flag(help: "Tint the objects: main red, second blue.")
        var masks = false
        @Option(help: "The font of the captions.")
        var font = Gallery.font.path

        func run() throws {
            let (split, compositor) = (try selection.chosenSplit(), try selection.compositor())
            let indices = selection.first..<selection.first + 40
            let title =
                "\(selection.dataset) · split \(split.rawValue) · seed \(compositor.seed) · scenes \(indices.lowerBound) to \(indices.upperBound - 1)"
            let sheet = try ContactSheet.make(
                scenes: indices.map { compositor.scene(split, $0) },
                title: masks ? title + " · masks: main object red, second object blue" : title,
                font: URL(fileURLWithPath: font), showMasks: masks)
            let url = URL(fileURLWithPath: output)
            do {
                try OutputFolder(url.deletingLastPathComponent()).make()
                try sheet.writePNG(to: url)
            } catch let error as OutputError {
                throw Failure(
                    error, elsewhere: "choose another file with --output", again: "run the same command again")
            }
            try Console.print(url.relativePath + "\n")
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
            guard (0...1 << 48).contains(count) else { throw ValidationError("--count has to be from 0 to \(1 << 48)") }
        }

        func run() throws {
            // A reader that has enough closes the pipe; writing then fails instead of ending the process.
            signal(SIGPIPE, SIG_IGN)
            try SceneStream(compositor: selection.compositor()).write(
                selection.chosenSplit(), selection.first..<selection.first + count, to: .standardOutput)
        }
    }
}
