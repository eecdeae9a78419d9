import Foundation

/// What the file system says of files: enough to know that nobody has written to them since.
///
/// Device, inode, size, and the times of the last change of contents and of inode, in nanoseconds. The
/// latter cannot be set by a program, so a file with the same signature has the same bytes. It is no
/// identity: copies of a file differ in it. What is kept under it can always be computed again.
public enum FileSignature {
    /// A file that was changed within this time may be changed again without showing it.
    private static let settlingSeconds = 2

    /// A digest over files and all that is in folders.
    /// - Returns: nil where a file changed a moment ago, or cannot be looked at.
    public static func of(_ files: [URL]) -> String? {
        let now = Int(Date().timeIntervalSince1970)
        var lines: [String] = []
        for url in files {
            var pending = [url.path]
            while let path = pending.popLast() {
                var facts = stat()
                guard stat(path, &facts) == 0, now - facts.st_ctim.tv_sec >= settlingSeconds else { return nil }
                lines.append(line(path, facts))
                guard facts.st_mode & S_IFMT == S_IFDIR else { continue }
                guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return nil }
                pending += names.map { path + "/" + $0 }
            }
        }
        return ContentDigest.sha256(Data(lines.sorted().joined(separator: "\n").utf8))
    }

    private static func line(_ path: String, _ facts: stat) -> String {
        let numbers = [
            Int(facts.st_dev), Int(facts.st_ino), Int(facts.st_size), facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
            facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec,
        ]
        return path + "\u{0}" + numbers.map(String.init).joined(separator: " ")
    }
}
