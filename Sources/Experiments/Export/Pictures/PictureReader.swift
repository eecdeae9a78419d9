import Foundation
import Foundations
import Inputs
import Pipeline
import Synchronization

/// Collects files until there is work for every core, then decodes, resizes and stores them.
final class PictureReader {
    enum Outcome: Sendable {
        case read(sha256: String, warning: String?)
        case refused(Refusal)
    }

    /// Why a picture was not read.
    enum Refusal: Error, Sendable {
        case fault(PictureFault)
        case file(DataSetError)

        var text: String {
            switch self {
            case .fault(let fault): fault.text
            case .file(.tooLarge(_, _, let bytes, let limit)): "\(bytes) bytes, more than \(limit)"
            case .file(let error): "\(error)"
            }
        }

        /// As an error that stands alone.
        func named(_ name: String) -> any Error {
            switch self {
            case .fault(let fault): InputError.pictureRefused(name: name, fault: fault)
            case .file(let error): error
            }
        }
    }

    let pictureBytes: Int
    private let preprocessing: ImagePreprocessing
    private let file: PendingFile
    private let jobs: Int
    private let cancellation: Cancellation
    private var files: [(index: Int, bytes: Result<[UInt8], DataSetError>)] = []
    private var bytesWaiting = 0

    init(preprocessing: ImagePreprocessing, file: PendingFile, jobs: Int, cancellation: Cancellation) {
        (self.preprocessing, self.file, self.jobs, self.cancellation) = (preprocessing, file, jobs, cancellation)
        pictureBytes = 3 * preprocessing.geometry.size * preprocessing.geometry.size
    }

    var waiting: Int { files.count }
    var isFull: Bool { files.count >= 8 * jobs || bytesWaiting >= 64 << 20 }

    func add(_ index: Int, _ bytes: Result<[UInt8], DataSetError>) {
        files.append((index, bytes))
        if case .success(let bytes) = bytes { bytesWaiting += bytes.count }
    }

    /// Prepares what was added; the pixels of picture `index` go to its place in the file.
    /// - Throws: `OutputError`, `PipelineError.interrupted`.
    func flush() throws -> [(index: Int, outcome: Outcome)] {
        let (files, preprocessing, file, pictureBytes) = (files, preprocessing, file, pictureBytes)
        self.files.removeAll(keepingCapacity: true)
        bytesWaiting = 0
        let outcomes = Mutex<[(index: Int, outcome: Outcome)]>([])
        try Workers.forEach(files.count, jobs: jobs, cancellation: cancellation) {
            { piece in
                let index = files[piece].index
                let outcome: Outcome
                do {
                    let bytes = try files[piece].bytes.mapError(Refusal.file).get()
                    let picture = try Self.decode(bytes)
                    let pixels = preprocessing(picture.image).pixels
                    try pixels.withUnsafeBytes { try file.write($0, at: index * pictureBytes) }
                    outcome = .read(sha256: Digest.sha256(of: bytes), warning: picture.warning)
                } catch let refusal as Refusal {
                    outcome = .refused(refusal)
                }
                outcomes.withLock { $0.append((index, outcome)) }
            }
        }
        return outcomes.withLock { $0 }
    }

    private static func decode(_ bytes: [UInt8]) throws(Refusal) -> PictureDecoder.Picture {
        let decoded = bytes.withUnsafeBytes { bytes in
            Result<PictureDecoder.Picture, PictureFault> { () throws(PictureFault) in try PictureDecoder.picture(bytes)
            }
        }
        switch decoded {
        case .success(let picture): return picture
        case .failure(let fault): throw .fault(fault)
        }
    }
}
