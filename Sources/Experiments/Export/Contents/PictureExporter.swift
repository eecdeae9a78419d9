import CLIPModel

/// One kind of export of pictures.
protocol PictureExporter: Sendable {
    /// As the command line calls it.
    var name: String { get }
    /// Texts that the numbers depend on.
    var texts: [String] { get }
    /// Checks the request against the architecture, before weights and pictures are read.
    /// - Throws: ``ExportError``.
    func check(_ configuration: CLIPConfiguration) throws
    /// What the file is going to hold.
    /// - Throws: ``ExportError`` where there are too few images.
    func tensors(_ clip: CLIP, images: Int) throws -> [ExportTensor]
    func settings(_ clip: CLIP, images: Int) -> ExportDocument.Settings
    /// Fills every tensor.
    func compute(_ clip: CLIP, _ pictures: PreparedPictures, into file: ExportFile, _ work: ExportWork) throws
}

extension PictureExporter {
    var texts: [String] { [] }
    func check(_ configuration: CLIPConfiguration) throws {}
    func settings(_ clip: CLIP, images: Int) -> ExportDocument.Settings { .init() }
}

extension PreparedPictures {
    /// - Throws: ``ExperimentError/notFinite(image:place:)`` for the first picture of a batch whose numbers are
    ///   not all finite. // [batch, d]
    func checkFinite(_ values: UnsafePointer<Float>, width: Int, of batch: Range<Int>, place: String) throws {
        for (row, picture) in batch.enumerated() {
            guard (0..<width).allSatisfy({ values[row * width + $0].isFinite }) else {
                throw ExperimentError.notFinite(image: pictures[picture].id, place: place)
            }
        }
    }
}
