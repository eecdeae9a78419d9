import CLIPModel
import DenseMath
import Foundation
import Foundations
import Inputs
import Pipeline

/// What is exported of pictures.
public enum PictureContents: Sendable {
    case embeddings
    case attention
    case secondOrder(SecondOrderExport)
    case maps(MapExport)

    var exporter: any PictureExporter {
        switch self {
        case .embeddings: EmbeddingExport()
        case .attention: AttentionExport()
        case .secondOrder(let export): export
        case .maps(let export): export
        }
    }
}

/// Writes what a notebook wants as safetensors: any model that opens, any folder of pictures, no spec.
///
/// ```swift
/// let export = Export(.init(model: model, output: URL(fileURLWithPath: "phi.safetensors"), program: program))
/// try export.run(.secondOrder(.init(layer: 9, neurons: neurons)), of: .init(location: "pictures"))
/// ```
///
/// The file is complete or not there. Its bytes do not depend on the number of jobs.
public struct Export: Sendable {
    public struct Settings: Sendable {
        /// A model folder or a file of weights.
        public var model: URL
        /// OpenAI's vocabulary, for models that have none beside them.
        public var vocabulary: URL?
        /// Non-linearities, where they are not to be those of the model's files.
        public var imageActivation, textActivation: Activation?
        public var output: URL
        /// Threads.
        public var jobs: Int
        public var program: ProgramDescription

        public init(
            model: URL, vocabulary: URL? = nil, imageActivation: Activation? = nil, textActivation: Activation? = nil,
            output: URL, jobs: Int = ProcessInfo.processInfo.activeProcessorCount, program: ProgramDescription
        ) {
            (self.model, self.vocabulary, self.output, self.program) = (model, vocabulary, output, program)
            (self.imageActivation, self.textActivation) = (imageActivation, textActivation)
            self.jobs = max(1, jobs)
        }
    }

    private let settings: Settings
    private let cancellation: Cancellation
    private let observer: @Sendable (ExportEvent) -> Void

    /// - Parameter observer: gets the events of the work, one at a time, on any thread.
    public init(
        _ settings: Settings, cancellation: Cancellation = Cancellation(),
        observer: @escaping @Sendable (ExportEvent) -> Void = { _ in }
    ) {
        (self.settings, self.cancellation, self.observer) = (settings, cancellation, observer)
    }

    /// Exports what a model makes of pictures.
    /// - Returns: the tensors of the file.
    /// - Throws: `OutputError.cannotWrite` before any work; ``ExportError``, `LensError`, what opening the model
    ///   and reading pictures throws; `OutputError`, `PipelineError.interrupted`.
    public func run(_ contents: PictureContents, of selection: PictureSelection) throws -> [ExportTensor] {
        let output = try PendingFile(for: settings.output, followsLink: true)
        let exporter = contents.exporter
        try exporter.check(CLIP.describe(folder: settings.model).description.configuration)
        let files = try PictureFiles(at: selection.location)
        guard !files.paths.isEmpty else { throw ExportError.noPictures(location: selection.location, skipped: 0) }
        let (clip, watch) = try open()

        let work = ExportWork(jobs: settings.jobs, cancellation: cancellation, output: output.url, observer: observer)
        let pictures = try PreparedPictures(
            files, selection, preprocessing: ImagePreprocessing(clip.description), into: work.scratch(),
            jobs: settings.jobs,
            cancellation: cancellation
        ) { observer(.progress(stage: "pictures read", done: $0, total: $1)) }
        for skipped in pictures.skipped { observer(.skipped(picture: skipped.id, reason: skipped.reason)) }
        for picture in pictures.pictures {
            if let warning = picture.warning { observer(.doubtful(picture: picture.id, warning: warning)) }
        }

        let images = ExportDocument.Images(
            location: selection.location, found: files.paths.count, limit: selection.limit,
            preprocessing: PreprocessingEntry(clip.description), pictures: pictures.pictures, skipped: pictures.skipped)
        return try write(
            try exporter.tensors(clip, images: pictures.count), named: exporter.name, clip, watched: watch,
            images: images, texts: exporter.texts,
            settings: exporter.settings(clip, images: pictures.count), to: output
        ) { try exporter.compute(clip, pictures, into: $0, work) }
    }

    /// Exports the embeddings of texts.
    /// - Returns: the tensors of the file.
    /// - Throws: as ``run(_:of:)``.
    public func run(texts: [String]) throws -> [ExportTensor] {
        let output = try PendingFile(for: settings.output, followsLink: true)
        guard !texts.isEmpty else { throw ExportError.textsMissing(method: TextExport.name) }
        let (clip, watch) = try open()
        let work = ExportWork(jobs: settings.jobs, cancellation: cancellation, output: output.url, observer: observer)
        let export = TextExport(texts)
        return try write(export.tensors(clip), named: TextExport.name, clip, watched: watch, texts: texts, to: output) {
            try export.compute(clip, into: $0, work)
        }
    }

    /// Writes the header, has `compute` fill the tensors, and gives the file its name.
    private func write(
        _ tensors: [ExportTensor], named name: String, _ clip: CLIP, watched watch: FileWatch,
        images: ExportDocument.Images? = nil, texts: [String],
        settings request: ExportDocument.Settings = .init(), to output: PendingFile,
        _ compute: (ExportFile) throws -> Void
    ) throws -> [ExportTensor] {
        let model = try ModelEntry(clip, path: settings.model.relativePath)
        try watch.check()
        let document = ExportDocument(
            contents: name, program: settings.program, model: model,
            images: images, texts: texts.isEmpty ? nil : describe(texts, clip), settings: request,
            tensors: tensors.reduce(into: [:]) { $0[$1.name] = .init($1) })
        let file = try ExportFile(output, tensors: tensors, document: document)
        try compute(file)
        try cancellation.check()
        try file.commit()
        return tensors
    }

    /// Loads the model; its files are watched from before.
    private func open() throws -> (CLIP, FileWatch) {
        let watch = FileWatch(try CLIP.describe(folder: settings.model, vocabulary: settings.vocabulary).files)
        let clip = try CLIP(
            folder: settings.model, vocabulary: settings.vocabulary, imageActivation: settings.imageActivation,
            textActivation: settings.textActivation)
        return (clip, watch)
    }

    private func describe(_ texts: [String], _ clip: CLIP) -> [ExportDocument.Text] {
        texts.map { text in
            let tokens = clip.tokenizer.tokens(in: text).count + 2
            let kept = min(tokens, clip.tokenizer.contextLength)
            if tokens > kept { observer(.truncated(text: text, tokens: tokens)) }
            return .init(text: text, tokens: kept, isTruncated: tokens > kept)
        }
    }
}
