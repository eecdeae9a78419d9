import Foundation
import Foundations
import Results

extension Failure {
    /// The words for what could not be written.
    /// - Parameters:
    ///   - elsewhere: how to choose another place, such as "choose another folder with --results".
    ///   - again: what becomes of the work, such as "run the same command again; finished shards are kept".
    init(_ error: OutputError, elsewhere: String, again: String) {
        switch error {
        case .cannotWrite(let path, let errno):
            self.init(
                .cannotWrite, "\(path): cannot be written: \(String(cString: strerror(errno)))",
                fix: "\(elsewhere), or change its permissions")
        case .saveFailed(let path, let errno, let freeBytes):
            self.init(
                .saveFailed,
                "\(path): could not be saved: \(String(cString: strerror(errno)))\(Self.room(freeBytes, errno))",
                fix: "\(Self.remedy(errno) ?? elsewhere); then \(again)")
        case .refused(let path, let refusal):
            self.init(
                .cannotWrite, "\(path): cannot be written: \(refusal.words)", fix: "move it away, or \(elsewhere)")
        }
    }

    /// How much room there is, where there is too little.
    static func room(_ bytes: Int64?, _ errno: Int32) -> String {
        guard let bytes, [ENOSPC, EDQUOT].contains(errno) else { return "" }
        return " (\(ByteCount(Int(clamping: bytes))) free)"
    }

    /// What to do about a file that the system did not save or read, for the reason it gave; nil where another place is all
    /// there is to try.
    static func remedy(_ errno: Int32) -> String? {
        switch errno {
        case ENOSPC: "make room"
        case EDQUOT: "make room within your quota"
        case EFBIG: "raise the limit on the size of a file (ulimit -f)"
        case EMFILE, ENFILE: "raise the limit on open files (ulimit -n)"
        case EIO, ESTALE, ENXIO, EUCLEAN: "look after the disk or its file system (dmesg tells more)"
        case EACCES, EPERM, EROFS: "change the permissions of the folder"
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

extension Failure {
    /// The words for a place in a table that was not found.
    static func words(_ error: NumberPlace.LookupError) -> Failure {
        func listed(_ names: [String]) -> String {
            names.prefix(12).map { "\n       \($0)" }.joined() + (names.count > 12 ? "\n       …" : "")
        }
        switch error {
        case .notFound(let part, let words, let candidates, let nearest):
            let guess = nearest.map { "did you mean '\($0)'? " } ?? ""
            return Failure(
                .usage, "there is no \(part.rawValue) '\(words)'", fix: "\(guess)There are:\(listed(candidates))")
        case .ambiguous(let part, let words, let candidates):
            return Failure(
                .usage, "'\(words)' is part of \(candidates.count) \(part.rawValue)s",
                fix: "say more:\(listed(candidates))")
        }
    }
}
