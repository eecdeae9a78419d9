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
            of the image tower get a second path, whose tokens are compared with the texts. A map runs from 0 to 1 for \
            every text, also for one that the picture does not show: it says where a text fits best, and its cosine how \
            well. In the output folder, where the files of an earlier explanation go:

            1-TEXT.png: the picture under the map in jet colours; -map.png: the map in grey; -points.png: the points, \
            green where the text fits best, red where it fits worst
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
    @Option(
        help: ArgumentHelp(
            "Side of the square; a multiple of the model's patches. By default the model's own; larger ones give finer maps.",
            valueName: "PIXELS"))
    var size: Int?
    @Option(
        help: ArgumentHelp("surgery, clip (as it is), maskclip, sclip, clearclip, naclip or gem.", valueName: "NAME"))
    var path = ExplanationSettings.Path.surgery
    @Option(
        help: ArgumentHelp(
            "Last blocks with a second path, for surgery and gem; by default 6, or all where there are fewer.",
            valueName: "N"))
    var depth: Int?
    @Option(
        help: ArgumentHelp(
            "single-text: each text by itself, against the empty text; among-labels: against all texts and --labels; plain: cosines.",
            valueName: "NAME"))
    var features: LabelFeatures?
    @Option(
        help: ArgumentHelp(
            "A file with a label a line, which the texts are compared with (--features among-labels).",
            valueName: "FILE"))
    var labels: String?
    @Option(
        help: ArgumentHelp(
            "A file of sentences with {} for a text; by default templates.txt of the model's folder, or else CLIP Surgery's 85.",
            valueName: "FILE"))
    var templates: String?

    /// Each text has three files.
    private static let mostTexts = 100

    func validate() throws {
        for (option, value) in [("--model", model.model), ("--image", image), ("--output", output)] where value.isEmpty
        {
            throw ValidationError("\(option) is empty")
        }
        guard !text.isEmpty || sentence != nil else {
            throw ValidationError("say what to look for with --text or --sentence")
        }
        guard
            !(text + [sentence ?? "-"]).contains(where: { $0.trimmingCharacters(in: .whitespacesAndNewlines).isEmpty })
        else {
            throw ValidationError("a text has to have words")
        }
        guard text.count <= Self.mostTexts else { throw ValidationError("at most \(Self.mostTexts) texts in one go") }
        if let size, !(1...4096).contains(size) { throw ValidationError("--size has to be from 1 to 4096") }
        if let depth, depth < 1 { throw ValidationError("--depth has to be at least 1") }
        if depth != nil, !path.hasDepth {
            throw ValidationError("--depth goes with --path surgery or gem; \(path.rawValue) has its own")
        }
        if labels != nil, let features, features != .amongLabels {
            throw ValidationError("--labels go with --features among-labels")
        }
        if labels != nil, text.isEmpty { throw ValidationError("--labels are for texts, and there is no --text") }
    }

    func run() throws {
        do { try explain() } catch { throw Failure(explain: error) }
    }

    private func explain() throws {
        let picture = try PictureOnDisk(contentsOf: URL(fileURLWithPath: image))
        let settings = ExplanationSettings(
            path: path, features: features ?? (labels == nil ? .singleText : .amongLabels), depth: depth,
            inputSize: size,
            templates: try PromptSet.templates(templatesFile),
            labels: try labels.map { try PromptSet.texts(URL(fileURLWithPath: $0)) } ?? [])
        if settings.features == .amongLabels, Set(text + settings.labels).count < 2 {
            throw Failure(
                .usage, "among-labels compares a text with others, and there are none",
                fix: "give more with --text or --labels")
        }
        let (clip, watch) = try model.open()
        try check(clip)
        for name in ExplanationFiles.names(texts: text, hasWords: sentence != nil) {
            try OutputFile.check("\(output)/\(name)", isNoneOf: [image, labels, templates])
        }
        // Only now, so that a refusal leaves no folder behind.
        let files = try ExplanationFiles(
            in: URL(fileURLWithPath: output, isDirectory: true), texts: text, hasWords: sentence != nil)
        let sentences = settings.templates.count * (text.count + settings.labels.count + 1)
        if sentences > 5000 { Console.tell("embedding \(sentences) sentences\n") }
        let explanation = try Explanation(clip, picture.image, named: image, texts: text, sentence: sentence, settings)
        try files.write(
            explanation, of: picture.image, path: image, digest: picture.sha256, clip, model: model.model,
            watched: watch, sentence: sentence,
            settings, program: .current)
        try show(explanation, files)
    }

    /// Sentences that a model was trained with lie beside it.
    private var templatesFile: URL {
        if let templates { return URL(fileURLWithPath: templates) }
        let own = model.url.appendingPathComponent("templates.txt")
        return FileManager.default.fileExists(atPath: own.path) ? own : model.prompts("templates-85.txt")
    }

    /// What only the model can tell of the request.
    private func check(_ clip: CLIP) throws {
        let vision = clip.configuration.vision
        if let depth, depth > vision.layers {
            throw Failure(
                .usage, "--depth \(depth): the image tower has \(vision.layers) blocks",
                fix: "choose at most \(vision.layers)")
        }
        // Half of the machine: the weights, the picture and everybody else need some, too.
        let largest = ExplanationSettings.largestSize(vision, within: Int(ProcessInfo.processInfo.physicalMemory / 2))
        if let size, size > largest, size.isMultiple(of: vision.patchSize) {
            throw Failure(
                .usage,
                "--size \(size): attention over \((size / vision.patchSize) * (size / vision.patchSize)) patches does not fit into memory",
                fix: "choose at most \(largest)")
        }
        if let size { _ = try clip.vision.resized(to: size) }
        for text in text + (sentence.map { [$0] } ?? []) {
            let tokens = clip.tokenizer.tokens(in: text).count + 2
            if tokens > clip.tokenizer.contextLength {
                Console.tell(
                    "warning: '\(text.shortened)' has \(tokens) tokens, of which the model reads \(clip.tokenizer.contextLength): its end is cut\n"
                )
            }
        }
    }

    private func show(_ explanation: Explanation, _ files: ExplanationFiles) throws {
        var table = TextTable(
            title: nil,
            columns: [
                .init("text"), .init("cosine", .right), .init("best point", .right), .init("points", .right),
                .init("overlay"),
            ])
        for (index, text) in explanation.texts.enumerated() {
            table.addRow([
                text.text.shortened, String(format: "%.3f", text.cosine),
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

extension String {
    /// For a line of a table.
    fileprivate var shortened: String { count > 40 ? prefix(39) + "…" : self }
}

extension ExplanationSettings.Path: ExpressibleByArgument {}
extension LabelFeatures: ExpressibleByArgument {}
