import Foundation

/// What the file system says of files: enough to know that nobody has written to them since.
///
/// Device, inode, size, and the times of the last change of contents and of inode, in nanoseconds. The latter cannot be set
/// by a program, so a file with the same marks has the same bytes. They are no identity: copies of a file differ in them.
public struct FileMarks: Equatable, Sendable {
    /// A file that was changed within a tick of its file system's clock may be changed again without showing it. Clocks tick
    /// hundreds of times a second, those of some networks every second.
    private static let (fineTick, coarseTick) = (0.02, 2.0)

    private let lines: [String: String]
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
        var lines: [String: String] = [:]
        var age = Double.infinity
        var hasFineClock = false
        for url in files {
            var pending = [url.path]
            while let path = pending.popLast() {
                var facts = stat()
                guard stat(path, &facts) == 0 else { return nil }
                age = min(age, now - Double(facts.st_ctim.tv_sec) - Double(facts.st_ctim.tv_nsec) * 1e-9)
                hasFineClock = hasFineClock || facts.st_ctim.tv_nsec != 0
                lines[path] = Self.line(facts)
                guard facts.st_mode & S_IFMT == S_IFDIR else { continue }
                guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
                pending += names.map { path + "/" + $0 }
            }
        }
        (self.lines, self.age, self.hasFineClock) = (lines, age, hasFineClock)
    }

    /// Which file has a name, be it a link.
    public struct Identity: Equatable, Sendable {
        private let device: dev_t
        private let inode: ino_t

        /// Nil where there is none.
        public init?(_ path: String) {
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            (device, inode) = (status.st_dev, status.st_ino)
        }
    }

    private static func line(_ facts: stat) -> String {
        [
            Int(facts.st_dev), Int(facts.st_ino), Int(facts.st_size), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
            facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec,
        ].map(String.init).joined(separator: " ")
    }

    /// A digest over paths and marks.
    public var digest: String {
        Digest.sha256(of: Data(lines.map { $0.key + "\u{0}" + $0.value }.sorted().joined(separator: "\n").utf8))
    }

    public static func == (left: FileMarks, right: FileMarks) -> Bool { left.lines == right.lines }

    /// The first path, by name, of which the marks are others; nil where all are the same.
    public func firstDifference(from other: FileMarks) -> String? {
        Set(lines.keys).union(other.lines.keys).sorted().first { lines[$0] != other.lines[$0] }
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
