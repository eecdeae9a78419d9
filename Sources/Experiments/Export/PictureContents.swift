import CLIPModel
import Foundation
import Inputs
import Pipeline

/// What is exported of pictures.
public enum PictureContents: Sendable {
    case embeddings
    case attention
    case secondOrder(SecondOrderExport)
    case maps(MapExport)

    var kind: any PictureExport {
        switch self {
        case .embeddings: EmbeddingExport()
        case .attention: AttentionExport()
        case .secondOrder(let export): export
        case .maps(let export): export
        }
    }
}

/// One kind of export of pictures.
protocol PictureExport: Sendable {
    /// As the command line calls it.
    var name: String { get }
    /// Texts that the numbers depend on.
    var texts: [String] { get }
    /// Checks the request against the architecture, before weights and pictures are read.
    /// - Throws: ``ExportError``.
    func check(_ configuration: CLIPConfiguration) throws
    /// What the file is going to hold.
    /// - Throws: ``ExportError`` where there are too few images.
    func tensors(_ configuration: CLIPConfiguration, images: Int) throws -> [ExportTensor]
    func settings(_ configuration: CLIPConfiguration, images: Int) -> ExportDocument.Settings
    /// Adds the steps.
    /// - Returns: what fills every tensor from their results.
    /// - Throws: `PipelineError`.
    func plan(_ model: StudyModel, _ images: ImageSource, in graph: inout Graph) throws -> ExportWriter
}

extension PictureExport {
    var texts: [String] { [] }
    func check(_ configuration: CLIPConfiguration) throws {}
    func settings(_ configuration: CLIPConfiguration, images: Int) -> ExportDocument.Settings { .init() }
}

/// Which pictures.
public struct PictureSelection: Sendable {
    /// A folder or an archive.
    public var location: String
    /// The first so many, in the order of the bytes of their paths; nil for all.
    public var limit: Int?
    public var badPictures: BadPictures

    public init(location: String, limit: Int? = nil, badPictures: BadPictures = .fail) {
        self.location = location
        self.limit = limit
        self.badPictures = badPictures
    }

    /// - Throws: ``ExportError/noPictures(location:skipped:)``, `InputError`, `DataSetError`, `ArchiveError`.
    func dataset(_ memo: InputMemo, _ tell: @escaping @Sendable (String) -> Void) throws -> PictureDataset {
        let source = try PictureSource(pictures: URL(fileURLWithPath: location))
        do {
            return try PictureDataset(
                source, .all, limit: limit, order: .collection, withMasks: false, decodesAll: true,
                onBadPicture: badPictures, memo: memo, tell: tell)
        } catch DataSetError.empty {
            let found = try source.open(withMasks: false).count
            throw ExportError.noPictures(location: location, skipped: min(found, limit ?? found))
        }
    }
}
