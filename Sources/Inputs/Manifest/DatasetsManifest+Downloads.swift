import Foundation

extension DatasetsManifest {
    /// Files that others publish: weights, vocabularies, archives of pictures.
    public struct Download: Codable, Sendable {
        public enum Kind: String, Codable, Sendable {
            case model, dataset, vocabulary
        }

        public var kind: Kind
        /// Who publishes it, and where it is described.
        public var origin: String
        public var licence: String
        /// Where the files lie in the folder of data; the entry's own name where there is none.
        public var folder: String?
        /// Where the files lie in the clone, if they come with it.
        public var path: String?
        /// For what one has to ask its owners for: how to get it. It is never downloaded.
        public var instructions: String?
        /// What else is needed, or worth knowing.
        public var note: String?
        public var files: [File]
    }

    /// One published file.
    public struct File: Codable, Sendable, Equatable {
        /// Its name on disk.
        public var name: String
        /// http, https or file; none where it cannot be downloaded.
        public var address: String?
        public var bytes: Int?
        public var md5: String?
        public var sha256: String?

        public init(name: String, address: String? = nil, bytes: Int? = nil, md5: String? = nil, sha256: String? = nil)
        {
            self.name = name
            self.address = address
            self.bytes = bytes
            self.md5 = md5
            self.sha256 = sha256
        }

        /// The published digests, in lower-case hexadecimal digits.
        var digests: [DigestAlgorithm: String] {
            var digests: [DigestAlgorithm: String] = [:]
            digests[.md5] = md5
            digests[.sha256] = sha256
            return digests
        }
    }

    /// - Throws: ``InputError/unknownDataset(name:manifest:known:)``.
    public func download(_ name: String) throws -> Download {
        guard let entry = downloads?[name] else {
            throw InputError.unknownDataset(name: name, manifest: url.path, known: (downloads ?? [:]).keys.sorted())
        }
        return entry
    }

    /// Where the files of an entry lie.
    /// - Parameter data: a folder that is chosen for them; by default `data/` beside the manifest has one for each.
    /// - Throws: ``InputError/unknownDataset(name:manifest:known:)``.
    public func folder(ofDownload name: String, data: URL? = nil) throws -> URL {
        let entry = try download(name)
        if let data { return data }
        let root = url.deletingLastPathComponent()
        if let path = entry.path { return root.appendingPathComponent(path, isDirectory: true) }
        return root.appendingPathComponent("data", isDirectory: true).appendingPathComponent(
            entry.folder ?? name, isDirectory: true)
    }

    // MARK: Checks

    /// What is wrong with the entries for downloads, if anything: where, and what was expected there.
    func violationOfDownloads() -> (place: String, expected: String)? {
        for (name, entry) in (downloads ?? [:]).sorted(by: { $0.key < $1.key }) {
            let place = "downloads.\(name)"
            if !Self.isFileName(entry.folder ?? name) { return ("\(place).folder", "a plain folder name") }
            if entry.files.isEmpty { return ("\(place).files", "at least one file") }
            if Set(entry.files.map(\.name)).count < entry.files.count { return ("\(place).files", "names that differ") }
            for (index, file) in entry.files.enumerated() {
                if let violation = file.violation {
                    return ("\(place).files[\(index)].\(violation.key)", violation.expected)
                }
                if file.address == nil, entry.instructions == nil, entry.path == nil {
                    return ("\(place).files[\(index)].address", "an address, or instructions in the entry")
                }
            }
        }
        return nil
    }

    /// Leaves room for what is added to a name.
    private static let longestName = 200

    /// Whether a name stays in its folder and clashes with nothing that is kept beside files.
    static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= longestName && !name.hasPrefix(".")
            && name.unicodeScalars.allSatisfy { $0 != "/" && $0.value >= 0x20 }
    }
}

extension DatasetsManifest.File {
    fileprivate var violation: (key: String, expected: String)? {
        if !DatasetsManifest.isFileName(name) { return ("name", "a plain file name") }
        if let address, FetchAddress(address) == nil { return ("address", "an address with http, https or file") }
        if let bytes, bytes < 0 { return ("bytes", "a number that is not negative") }
        for (algorithm, digest) in digests {
            let isDigest =
                digest.utf8.count == algorithm.length && digest.allSatisfy { $0.isHexDigit && !$0.isUppercase }
            if !isDigest {
                return (algorithm == .md5 ? "md5" : "sha256", "\(algorithm.length) hexadecimal digits in lower case")
            }
        }
        return nil
    }
}
