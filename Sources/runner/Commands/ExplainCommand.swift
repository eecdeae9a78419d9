import ArgumentParser
import Attribution
import CLIPModel
import Experiments
import Foundation
import Inputs
import Pipeline
import Results

/// `runner explain …`: what a model sees of some texts in one picture, without a spec.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Show where in a picture a model sees a text: maps, overlays and points.",
        discussion: """
            CLIP Surgery (arXiv 2304.05653) on any model that opens. The picture is squashed to a square; the last blocks \
            of the image tower get a second path, whose tokens are compared with the texts. In the output folder:

            1-TEXT.png: the picture under the map in jet colours; -map.png: the map in grey; -points.png: the points, \
            green on the object, red beside it
            overview.png: all of them side by side
            points.json: points in pixels for a promptable segmenter, of each text and of all together
            maps.safetensors: maps [texts, rows, columns] of the patches, neither scaled nor clipped
            explanation.json: model, settings, cosines
            words.png, with --sentence: a map for each of its word pieces
            """)

    @OptionGroup var model: ModelOptions
    @Option(help: ArgumentHelp("A PNG or JPEG file.", valueName: "FILE"))
    var image: String
    @Option(help: ArgumentHelp("What to look for; may be given several times.", valueName: "TEXT"))
    var text: [String] = []
    @Option(help: ArgumentHelp("A sentence, of which each word piece gets a map.", valueName: "TEXT"))
    var sentence: String?
    @Option(help: ArgumentHelp("The folder to write into; made where there is none.", valueName: "DIR"))
    var output: String
    @Option(help: ArgumentHelp("Side of the square; a multiple of the model's patches. By default the model's own; larger ones give finer maps.", valueName: "PIXELS"))
    var size: Int?
    @Option(help: ArgumentHelp("surgery, clip (as it is), maskclip, sclip, clearclip, naclip or gem.", valueName: "NAME"))
    var path = ExplanationSettings.Path.surgery
    @Option(help: ArgumentHelp("Last blocks with a second path; by default 6, or all where there are fewer.", valueName: "N"))
    var depth: Int?
    @Option(help: ArgumentHelp(
        "single-text: each text by itself, against the empty text; among-labels: against all texts and --labels; plain: cosines.",
        valueName: "NAME"))
    var features: ExplanationSettings.Features?
    @Option(help: ArgumentHelp("A file with a label a line, which the texts are compared with.", valueName: "FILE"))
    var labels: String?
    @Option(help: ArgumentHelp("A file of sentences with {} for a text; by default CLIP Surgery's 85.", valueName: "FILE"))
    var templates: String?

    func validate() throws {
        guard !text.isEmpty || sentence != nil else { throw ValidationError("say what to look for with --text or --sentence") }
        guard !(text + [sentence ?? "-"]).contains(where: { $0.trimmingCharacters(in: .whitespaces).isEmpty }) else {
            throw ValidationError("a text has to have words")
        }
        if let size, !(1...4096).contains(size) { throw ValidationError("--size has to be from 1 to 4096") }
        if let depth, depth < 1 { throw ValidationError("--depth has to be at least 1") }
        if labels != nil, let features, features != .amongLabels {
            throw ValidationError("--labels go with --features among-labels")
        }
        if features == .amongLabels, labels == nil, text.count < 2 {
            throw ValidationError("among-labels compares a text with others: give more with --text or --labels")
        }
    }

    func run() throws {
        let picture = try PictureOnDisk(contentsOf: URL(fileURLWithPath: image))
        let settings = ExplanationSettings(
            path: path, features: features ?? (labels == nil ? .singleText : .amongLabels), depth: depth, inputSize: size,
            templates: try PromptSet.templates(templates.map { URL(fileURLWithPath: $0) } ?? model.prompts("templates-85.txt")),
            labels: try labels.map { try PromptSet.texts(URL(fileURLWithPath: $0)) } ?? [])
        let folder = URL(fileURLWithPath: output, isDirectory: true)
        do {
            let files = try ExplanationFiles(in: folder, texts: text, hasWords: sentence != nil)
            let clip = try model.open()
            if let depth, depth > clip.configuration.vision.layers {
                throw Failure(
                    .usage, "--depth \(depth): the image tower has \(clip.configuration.vision.layers) blocks",
                    fix: "choose at most \(clip.configuration.vision.layers)")
            }
            let explanation = try Explanation(clip, picture.image, named: image, texts: text, sentence: sentence, settings)
            try files.write(
                explanation, of: picture.image, path: image, digest: picture.sha256, clip, model: model.model, sentence: sentence,
                settings, program: .current)
            try show(explanation, files)
        } catch {
            throw Failure(explain: error)
        }
    }

    private func show(_ explanation: Explanation, _ files: ExplanationFiles) throws {
        var table = TextTable(
            title: nil,
            columns: [.init("text"), .init("cosine", .right), .init("best point", .right), .init("points", .right), .init("overlay")])
        for (index, text) in explanation.texts.enumerated() {
            table.addRow([
                text.text, String(format: "%.3f", text.cosine),
                text.points.positive.last.map { "\($0.x), \($0.y)" } ?? "none",
                "\(text.points.positive.count) + \(text.points.negative.count)", files.overlay(index).relativePath,
            ])
        }
        if !explanation.texts.isEmpty { try Console.print(table.rendered()) }
        if !explanation.words.isEmpty {
            try Console.print("Word pieces: \(explanation.words.map(\.piece).joined(separator: " "))\n")
        }
    }
}

extension ExplanationSettings.Path: ExpressibleByArgument {}
extension ExplanationSettings.Features: ExpressibleByArgument {}
