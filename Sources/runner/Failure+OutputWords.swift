import Foundation
import Foundations

extension Failure {
    /// The words for what could not be written.
    /// - Parameters:
    ///   - elsewhere: how to choose another place, such as "choose another folder with --results".
    ///   - again: what becomes of the work, such as "run the same command again; finished shards are kept".
    init(_ error: OutputError, elsewhere: String, again: String) {
        switch error {
        case .cannotWrite(let path, let errno):
            self.init(.cannotWrite, "\(path): cannot be written: \(String(cString: strerror(errno)))", fix: "\(elsewhere), or change its permissions")
        case .saveFailed(let path, let errno, let freeBytes):
            let free = freeBytes.map { " (\(ByteCount(Int(clamping: $0))) free)" } ?? ""
            self.init(
                .saveFailed, "\(path): could not be saved: \(String(cString: strerror(errno)))\(free)",
                fix: "\(Self.remedy(errno) ?? elsewhere); then \(again)")
        case .refused(let path, let refusal):
            self.init(.cannotWrite, "\(path): not written to: \(refusal.words)", fix: "move it away, or \(elsewhere)")
        }
    }

    /// What to do about an error of a disk; nil where it is not the disk's.
    static func remedy(_ errno: Int32) -> String? {
        switch errno {
        case ENOSPC, EDQUOT: "make room"
        case EFBIG: "raise the limit of file sizes (ulimit -f)"
        case EIO, EROFS, ESTALE, ENXIO, EUCLEAN: "look at the disk's health: the system's log (dmesg) says what it reports"
        case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
        default: nil
        }
    }
}

extension OutputError.Refusal {
    fileprivate var words: String {
        switch self {
        case .link: "a symbolic link, which is not followed"
        case .notARegularFile: "not a regular file"
        case .notAFolder: "not a folder"
        case .strangers(let user): "it belongs to user \(user), in a folder that everybody may write to"
        case .severalNames: "the file has other names (hard links), which would be written to, too"
        }
    }
}
