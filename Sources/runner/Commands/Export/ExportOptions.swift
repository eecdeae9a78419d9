import ArgumentParser
import Experiments
import Foundation
import Inputs
import Results

/// What every export takes.
struct ExportOptions: ParsableArguments {
    @OptionGroup var model: ModelOptions
    @Option(help: ArgumentHelp("The file to write; it is complete or not there.", valueName: "FILE"))
    var output: String
    @Option(help: ArgumentHelp("Threads; the file does not depend on them.", valueName: "N"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...4096).contains(jobs) else { throw ValidationError("--jobs has to be from 1 to 4096") }
    }

    /// Runs an export and prints what the file holds.
    /// - Parameters:
    ///   - inputs: files that it reads besides the model.
    ///   - pictures: a folder or an archive.
    func run(reading inputs: [String?] = [], pictures: String? = nil, _ body: (Export) throws -> [ExportTensor]) throws
    {
        try OutputFile.check(
            output, isNoneOf: [model.model, model.vocabulary, model.manifest] + inputs, norIn: pictures)
        let (interruption, progress) = (Interruption(), ExportProgress())
        defer { progress.end() }
        let tensors: [ExportTensor]
        do {
            tensors = try body(Export(try settings(), cancellation: interruption.cancellation) { progress.show($0) })
        } catch {
            progress.end()
            throw Failure(export: error, interruption: interruption)
        }
        progress.end()
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

    private func settings() throws -> Export.Settings {
        Export.Settings(
            model: model.url, vocabulary: try model.vocabularyFile(), imageActivation: model.imageActivation,
            textActivation: model.textActivation, output: URL(fileURLWithPath: output), jobs: jobs, program: .current)
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
