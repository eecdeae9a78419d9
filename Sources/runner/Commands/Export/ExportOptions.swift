import ArgumentParser
import Experiments
import Foundation
import Foundations
import Inputs
import Pipeline
import Results

/// What every export takes.
struct ExportOptions: ParsableArguments {
    @OptionGroup var model: ModelOptions
    @Option(help: ArgumentHelp("The file to write; it is complete or not there.", valueName: "FILE"))
    var output: String
    @Option(
        help: ArgumentHelp(
            "Folder for what is computed on the way, which another export or run does not compute again.",
            valueName: "DIR"))
    var results = "results"
    @Option(help: ArgumentHelp("Workers; the file does not depend on them.", valueName: "N"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    private var resultsURL: URL { URL(fileURLWithPath: results, isDirectory: true) }

    func validate() throws {
        guard (1...4096).contains(jobs) else { throw ValidationError("--jobs has to be from 1 to 4096") }
    }

    /// Plans an export, runs it and prints what the file holds.
    /// - Parameters:
    ///   - inputs: files that it reads besides the model.
    ///   - pictures: a folder or an archive.
    func run(reading inputs: [String?] = [], pictures: String? = nil, _ plan: (Export.Settings) throws -> Export) throws
    {
        try OutputFile.check(
            output, isNoneOf: [model.model, model.vocabulary, model.manifest] + inputs, norIn: pictures)
        let interruption = Interruption { code in
            Failure(code, "interrupted before any work; nothing was written", fix: "run the same command again").tell()
        }
        let tensors: [ExportTensor]
        do {
            // What stands in the way of the file is known before anything is read.
            let file = try PendingFile(for: URL(fileURLWithPath: output), followsLink: true)
            let export = try plan(settings())
            for notice in export.notices { Console.tell("warning: \(notice.words)\n") }
            try run(export, to: file, interruption)
            tensors = export.tensors
        } catch {
            throw Failure(export: error, results: resultsURL, interruption: interruption)
        }
        var table = TextTable(
            title: output, columns: [.init("tensor"), .init("axes"), .init("shape", .right), .init("unit")])
        for tensor in tensors.sorted(by: { $0.name < $1.name }) {
            table.addRow([
                tensor.name, tensor.axes.map(\.name).joined(separator: " × "),
                tensor.shape.map(String.init).joined(separator: " × "),
                tensor.unit,
            ])
        }
        try Console.print(table.rendered())
    }

    private func run(_ export: Export, to file: PendingFile, _ interruption: Interruption) throws {
        interruption.beginWork()
        let folder = try ResultsFolder(named: results, interruption.cancellation)
        var options = Executor.Options(workers: jobs)
        options.machineMemory = ProcessLimits.availableMemory()
        let progress = Progress(isOfUnitsOnly: true)
        try export.run(in: folder, to: file, options: options, cancellation: interruption.cancellation) {
            progress.show($0)
        }
        try folder.check()
    }

    private func settings() throws -> Export.Settings {
        var settings = Export.Settings(
            model: model.url, vocabulary: try model.vocabularyFile(), imageActivation: model.imageActivation,
            textActivation: model.textActivation, program: .current,
            memory: ResultFiles.inputs(in: resultsURL))
        settings.tell = { Console.tell($0 + "\n") }
        return settings
    }
}

extension Export.Notice {
    fileprivate var words: String {
        switch self {
        case .skipped(let picture, let reason): "\(picture): left out: \(reason)"
        case .doubtful(let picture, let warning): "\(picture): taken as it decodes, though damaged: \(warning)"
        case .truncated(let text, let tokens):
            "\(tokens) tokens are more than the model takes, so the end is cut off: \(text)"
        }
    }
}

/// Which pictures.
struct PictureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A folder or an archive of PNG and JPEG files; they are taken in the order of the bytes of their paths.",
            valueName: "PATH"))
    var images: String
    @Option(help: ArgumentHelp("Only the first N pictures.", valueName: "N"))
    var limit: Int?
    @Option(
        help: ArgumentHelp(
            "'fail' at a picture that cannot be read, or 'skip' it: it is then listed in the header.", valueName: "WHAT"
        ))
    var onBadImage = BadPictures.fail

    func validate() throws {
        if let limit, limit < 1 { throw ValidationError("--limit has to be at least 1") }
    }

    var selection: PictureSelection { PictureSelection(location: images, limit: limit, badPictures: onBadImage) }
}

extension BadPictures: ExpressibleByArgument {}

/// Texts, on the command line or in a file.
struct TextOptions: ParsableArguments {
    @Option(parsing: .upToNextOption, help: ArgumentHelp("A text; several may follow.", valueName: "TEXT"))
    var text: [String] = []
    @Option(help: ArgumentHelp("A UTF-8 file with a text a line, after those of --text.", valueName: "FILE"))
    var texts: String?

    func all() throws -> [String] { try text + (texts.map { try PromptSet.texts(URL(fileURLWithPath: $0)) } ?? []) }
}

extension IndexSelection {
    /// As an argument. Without quotes, a shell takes `<64` of `0..<64` for the name of a file.
    @Sendable static func parse(_ argument: String) throws -> IndexSelection {
        guard let selection = IndexSelection(argument) else {
            throw ValidationError(
                "'\(argument)' is no selection of indices; write 0...63, 3,5,9 or, in quotes, '0..<64'")
        }
        return selection
    }
}
