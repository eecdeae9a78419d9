import Dispatch
import Foundation
import Foundations
import Synchronization

/// The pictures of a set that an experiment goes over: what is known of them without decoding one, and a
/// digest of all that they are.
public struct PictureList: Codable, Sendable, Equatable {
    public struct Entry: Codable, Sendable, Equatable {
        /// In the collection.
        public var index: Int
        /// Name of the picture in its collection, on every machine.
        public var id: String
        /// The class of the picture, or of its only kind of object.
        public var label: Int?
        /// With masks, the classes of the mask's numbers 1, 2, …, the picture's own first and −1 for one that is
        /// none of the classes; without masks, the classes that the picture shows.
        public var objects: [Int]
        /// SHA-256 of the picture's file, or of its size and pixels where it is no file of its own.
        public var digest: String
        /// SHA-256 of the mask's numbers; nil for a list without masks.
        public var maskDigest: String?
        /// What was wrong with the file and made up for, as the reference's decoder does; nil also where the list was made
        /// without decoding.
        public var warning: String?
    }

    /// In which order pictures stand.
    public enum Order: Sendable {
        /// Drawn once for all, by a fixed seed, because data sets stand in the order of their classes, and the first pictures
        /// of a list have to be a fair sample of it.
        case drawn
        /// As in their collection.
        case collection
    }

    /// A picture that is left out, and why.
    public struct Skipped: Codable, Sendable, Equatable {
        public var id: String
        public var reason: String
    }

    /// What the classes are called, in label order.
    public var classNames: [String]
    /// Sentences for the classes that come with the set.
    public var templates: [String]?
    public var entries: [Entry]
    public var skipped: [Skipped]
    /// SHA-256 over ids, labels, and digests of pictures and masks.
    public var digest: String

    /// Reads every picture that is wanted.
    /// - Parameters:
    ///   - limit: only so many pictures, drawn from the sample.
    ///   - order: in which the pictures stand, and of which `limit` takes the first.
    ///   - withMasks: masks count too.
    ///   - decodesAll: every picture is decoded, so that what is wrong with one is known before anything is computed; otherwise
    ///     the format of each is looked at.
    ///   - onBadPicture: with `skip` every picture is decoded, and what cannot be is left out.
    ///   - progress: how many pictures are done, of how many; called from any thread.
    /// - Throws: what reading a picture or mask throws; ``DataSetError/empty(path:expected:)`` where none is left.
    public init(
        _ pictures: LabelledPictures, _ sampling: ImageSampling, limit: Int? = nil, order: Order = .drawn,
        withMasks: Bool, decodesAll: Bool = false, onBadPicture: BadPictures = .fail,
        progress: @Sendable (Int, Int) -> Void = { _, _ in }
    ) throws {
        let sample = try sampling.indices(of: pictures.count)
        let places = order == .drawn ? Self.drawn(sample.count) : Array(sample.indices)
        let order = Array(places.prefix(limit ?? .max))
        let isDecoded = decodesAll || onBadPicture == .skip
        // Read in the order in which they lie, which is fastest.
        let positions = order.indices.sorted { order[$0] < order[$1] }
        let indices = positions.map { sample[order[$0]] }
        let results = Mutex<[Result<Reading, any Error>?]>(Array(repeating: nil, count: indices.count))
        let done = Mutex(0)
        let firstFailed = Atomic(Int.max)
        let perChunk = 16
        DispatchQueue.concurrentPerform(iterations: (indices.count + perChunk - 1) / perChunk) { chunk in
            let range = chunk * perChunk..<min((chunk + 1) * perChunk, indices.count)
            // After an error only those before it matter: the first of all is told, whichever thread is faster.
            for position in range where position < firstFailed.load(ordering: .relaxed) {
                let reading = Result {
                    try Reading(
                        pictures, indices[position], withMasks: withMasks, isDecoded: isDecoded, onBadPicture)
                }
                if case .failure = reading { firstFailed.min(position, ordering: .relaxed) }
                results.withLock { $0[position] = reading }
            }
            progress(
                done.withLock {
                    $0 += range.count; return $0
                }, indices.count)
        }
        let readings = results.withLock { $0 }
        for case .failure(let error) in readings { throw error }

        (entries, skipped) = ([], [])
        var lines: [String] = []
        var drawn = [Result<Reading, any Error>?](repeating: nil, count: readings.count)
        for (reading, position) in zip(readings, positions) { drawn[position] = reading }
        for case .success(let reading) in drawn {
            switch reading {
            case .entry(let entry, let line):
                entries.append(entry)
                lines.append(line)
            case .skipped(let picture): skipped.append(picture)
            }
        }
        skipped.sort { $0.id < $1.id }
        (classNames, templates) = (pictures.classNames, pictures.templates)
        digest = Digest.sha256(of: Data(lines.joined(separator: "\n").utf8))
        guard !entries.isEmpty else {
            throw DataSetError.empty(path: skipped.first?.id ?? "", expected: "pictures that can be read")
        }
    }

    /// The places of a list in the order that is drawn once for all.
    static func drawn(_ count: Int) -> [Int] {
        var random = SplitMix64(seed: 0, label: "order of pictures", index: 0)
        return random.permutation(count)
    }

    /// What was found of one picture.
    private enum Reading: Sendable {
        /// The line is what the digest of the list is made of.
        case entry(Entry, line: String)
        case skipped(Skipped)

        init(
            _ pictures: LabelledPictures, _ index: Int, withMasks: Bool, isDecoded: Bool, _ onBadPicture: BadPictures
        ) throws {
            let id = pictures.collection.record(index).id
            do {
                let picture = try pictures.collection.picture(index)
                var warning: String?
                if case .encoded(let bytes) = picture {
                    warning = try Self.check(bytes, name: pictures.collection.place(index), isDecoded: isDecoded)
                }
                let masked = withMasks ? try pictures.objects(index) : nil
                let objects = masked?.labels ?? pictures.labels(index)
                let label = pictures.label(index) ?? (objects.count == 1 && objects[0] >= 0 ? objects[0] : nil)
                let entry = Entry(
                    index: index, id: id, label: label, objects: objects, digest: picture.digest,
                    maskDigest: masked?.mask.digest, warning: warning)
                self = .entry(
                    entry, line: "\(id)\u{0}\(label ?? -1) \(objects) \(entry.digest) \(entry.maskDigest ?? "")")
            } catch {
                guard onBadPicture == .skip, let reason = Self.reason(error) else { throw error }
                self = .skipped(Skipped(id: id, reason: reason))
            }
        }

        /// - Parameter isDecoded: whether the whole picture is tried; what cannot be one by its first bytes is
        ///   refused at once, before anything is computed.
        /// - Returns: what was wrong and made up for.
        private static func check(_ bytes: Data, name: String, isDecoded: Bool) throws(InputError) -> String? {
            guard isDecoded else {
                try PictureDecoder.checkFormat(bytes, name: name)
                return nil
            }
            do {
                return try PictureDecoder.picture(bytes).warning
            } catch {
                throw InputError.pictureRefused(name: name, fault: error)
            }
        }

        /// Why a picture is bad; nil where the error is none of the picture's.
        private static func reason(_ error: any Error) -> String? {
            switch error {
            case InputError.pictureRefused(_, let fault): fault.text
            case InputError.imageNotRead(_, let reason): reason
            case DataSetError.tooLarge(_, _, let bytes, let limit): "\(bytes) bytes, more than \(limit)"
            case DataSetError.maskOfAnotherSize(_, _, let mask, let image):
                "its mask has \(mask[0])×\(mask[1]) pixels, the picture \(image[0])×\(image[1])"
            case DataSetError.missingMask: "it has no mask"
            case DataSetError.maskOfOtherClasses(_, let label, let shown):
                "its mask shows \(shown.joined(separator: ", ")) and not \(label)"
            case DataSetError.labelOutOfRange(_, let place, let label, _): "its mask has the number \(label) (\(place))"
            default: nil
            }
        }
    }
}

/// What becomes of a picture that cannot be read.
public enum BadPictures: String, CaseIterable, Sendable {
    /// It ends the work.
    case fail
    /// It is left out, and listed with the reason.
    case skip
}
