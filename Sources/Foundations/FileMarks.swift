import Foundation

/// Which file something is, whatever its names are.
public struct FileIdentity: Hashable, Sendable {
    private let device: dev_t
    private let inode: ino_t

    package init(_ status: stat) { (device, inode) = (status.st_dev, status.st_ino) }

    /// The file that has a name, be it a link; nil where there is none.
    public init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}

/// What the file system says of a file: enough to know that nobody has written to it since.
///
/// Device, inode, size, and the times of the last change of contents and of inode, in nanoseconds. The latter cannot be set
/// by a program, so a file with the same stamp has the same bytes. It is no digest: copies of a file differ in it.
package struct FileStamp: Equatable, Sendable {
    private let numbers: [Int]

    package init(_ status: stat) {
        numbers = [
            Int(status.st_dev), Int(status.st_ino), Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
            status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }

    var text: String { numbers.map(String.init).joined(separator: " ") }
}

/// The stamps of files and of all that is in folders.
public struct FileMarks: Equatable, Sendable {
    /// A file that was changed within a tick of its file system's clock may be changed again without showing it. Clocks tick
    /// hundreds of times a second, those of some networks every second.
    private static let (fineTick, coarseTick) = (0.02, 2.0)

    private let stamps: [String: FileStamp]
    /// Seconds since the last change of any file, when they were looked at.
    private let age: Double
    /// Whether a time has a fraction of a second.
    private let hasFineClock: Bool

    /// Whether no file changed a moment ago, by any clock: marks that are kept for years have to be these.
    public var areSettled: Bool { age >= Self.coarseTick }
    /// Whether a change from now on shows.
    fileprivate var showChanges: Bool { age >= (hasFineClock ? Self.fineTick : Self.coarseTick) }

    /// Looks at files and at all that is in folders.
    /// - Returns: nil where one cannot be looked at.
    public init?(_ files: [URL]) {
        let now = Date().timeIntervalSince1970
        var stamps: [String: FileStamp] = [:]
        var age = Double.infinity
        var hasFineClock = false
        for url in files {
            var pending = [url.path]
            while let path = pending.popLast() {
                var facts = stat()
                guard stat(path, &facts) == 0 else { return nil }
                age = min(age, now - Double(facts.st_ctim.tv_sec) - Double(facts.st_ctim.tv_nsec) * 1e-9)
                hasFineClock = hasFineClock || facts.st_ctim.tv_nsec != 0
                stamps[path] = FileStamp(facts)
                guard facts.st_mode & S_IFMT == S_IFDIR else { continue }
                guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
                pending += names.map { path + "/" + $0 }
            }
        }
        (self.stamps, self.age, self.hasFineClock) = (stamps, age, hasFineClock)
    }

    /// A digest over paths and marks.
    public var digest: String {
        Digest.sha256(of: Data(stamps.map { $0.key + "\u{0}" + $0.value.text }.sorted().joined(separator: "\n").utf8))
    }

    public static func == (left: FileMarks, right: FileMarks) -> Bool { left.stamps == right.stamps }

    /// The first path, by name, of which the marks are others; nil where all are the same.
    public func firstDifference(from other: FileMarks) -> String? {
        Set(stamps.keys).union(other.stamps.keys).sorted().first { stamps[$0] != other.stamps[$0] }
    }
}

/// A file that was written to, replaced or removed while something was made of it.
public struct ChangedFile: Error, Equatable, Sendable {
    public let path: String

    public init(path: String) { self.path = path }
}

/// Files that have to stay as they are between two readings: what is computed with is what was digested.
public struct FileWatch: Sendable {
    private let files: [URL]
    private let marks: FileMarks?

    /// Begins to watch. Files that changed within the last tick of their clock are waited for.
    public init(_ files: [URL]) {
        self.files = files
        var marks = FileMarks(files)
        // A server's clock may be ahead of this machine's.
        let deadline = ContinuousClock.now + .seconds(4)
        while let found = marks, !found.showChanges, ContinuousClock.now < deadline {
            usleep(5_000)
            marks = FileMarks(files)
        }
        self.marks = marks
    }

    /// - Throws: ``ChangedFile``.
    public func check() throws {
        guard let marks, let now = FileMarks(files) else {
            let missing = files.first { access($0.path, F_OK) != 0 } ?? files.first
            throw ChangedFile(path: missing?.path ?? "")
        }
        if let path = marks.firstDifference(from: now) { throw ChangedFile(path: path) }
    }
}
