import Foundation
import Foundations
import Inputs
import Pipeline

/// Pictures as the model takes them. Each has been read, judged and brought to the model's square once; the
/// pixels wait in a file, so that memory does not grow with their number.
final class PreparedPictures: Sendable {
    /// A picture that is there.
    struct Picture: Sendable, Encodable {
        let id: String
        let sha256: String
        /// What was wrong with the file and made up for, as the reference's decoder does.
        let warning: String?
    }

    /// A picture that was left out.
    struct Skipped: Sendable, Encodable {
        let id: String
        let reason: String
    }

    let pictures: [Picture]
    let skipped: [Skipped]
    /// Bytes of a picture. // size · size · 3
    let pictureBytes: Int
    private let file: PendingFile
    /// Where in the file the pixels of each picture stand.
    private let slots: [Int]

    /// Reads and prepares pictures.
    /// - Parameter file: takes the pixels.
    /// - Throws: `InputError.pictureRefused`, `DataSetError.tooLarge` for a bad picture where none may be;
    ///   ``ExportError/noPictures(location:skipped:)``; `ArchiveError`, `OutputError`, `PipelineError.interrupted`.
    init(
        _ files: PictureFiles, _ selection: PictureSelection, preprocessing: ImagePreprocessing, into file: PendingFile,
        jobs: Int, cancellation: Cancellation, progress: (Int, Int) -> Void
    ) throws {
        let count = min(selection.limit ?? .max, files.paths.count)
        let reader = PictureReader(preprocessing: preprocessing, file: file, jobs: jobs, cancellation: cancellation)
        var outcomes = [PictureReader.Outcome?](repeating: nil, count: count)
        /// - Throws: where a picture is bad and none may be: for the first of them.
        func take(_ found: [(index: Int, outcome: PictureReader.Outcome)]) throws {
            for (index, outcome) in found.sorted(by: { $0.index < $1.index }) {
                if case .refused(let error) = outcome, selection.badPictures == .fail {
                    throw error.named(files.location + "/" + files.paths[index])
                }
                outcomes[index] = outcome
            }
        }
        var done = 0
        try files.forEach(first: count) { index, bytes in
            reader.add(index, bytes)
            guard reader.isFull else { return }
            done += reader.waiting
            try take(reader.flush())
            progress(done, count)
        }
        try take(reader.flush())

        var (pictures, skipped, slots) = ([Picture](), [Skipped](), [Int]())
        for (index, outcome) in outcomes.enumerated() {
            switch outcome {
            case .read(let sha256, let warning):
                pictures.append(Picture(id: files.paths[index], sha256: sha256, warning: warning))
                slots.append(index)
            case .refused(let error): skipped.append(Skipped(id: files.paths[index], reason: error.text))
            // A folder's file that has gone between two looks ends the reading with an error.
            case nil: preconditionFailure("picture \(index) was listed and not read")
            }
        }
        guard !pictures.isEmpty else { throw ExportError.noPictures(location: files.location, skipped: skipped.count) }
        (self.pictures, self.skipped, self.slots, self.file) = (pictures, skipped, slots, file)
        pictureBytes = reader.pictureBytes
    }

    var count: Int { pictures.count }

    /// Reads the pixels of a run of pictures. // [pictures, size, size, 3]
    /// - Throws: `OutputError`.
    func read(_ range: Range<Int>, into pixels: UnsafeMutableBufferPointer<UInt8>) throws {
        for (place, picture) in range.enumerated() {
            let target = UnsafeMutableBufferPointer(rebasing: pixels[place * pictureBytes..<(place + 1) * pictureBytes])
            try file.read(at: slots[picture] * pictureBytes, into: UnsafeMutableRawBufferPointer(target))
        }
    }
}
