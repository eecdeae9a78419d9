import Inputs
import Results

extension FileCheck.Status {
    /// For documents that programs read.
    var word: String {
        switch self {
        case .matches: "ok"
        case .matchesRecord: "ok-as-recorded"
        case .unverified: "unverified"
        case .missing: "missing"
        case .wrongSize: "wrong-size"
        case .wrongDigest: "wrong-digest"
        case .unreadable: "unreadable"
        }
    }

    var words: String {
        switch self {
        case .matches: "ok"
        case .matchesRecord: "ok: as it was first fetched; no digest is published"
        case .unverified: "there; no digest is published, none was recorded"
        case .missing: "missing"
        case .wrongSize(let expected, let found): "WRONG: \(found) bytes, expected \(expected)"
        case .wrongDigest(let algorithm, let expected, let found, let isRecorded):
            "WRONG: \(algorithm.rawValue) \(found), \(isRecorded ? "recorded" : "published") \(expected)"
        case .unreadable(let reason): "UNREADABLE: \(reason)"
        }
    }
}

extension Fetcher.Fetched {
    var words: String {
        let place = wasThere ? "was there" : "fetched"
        return switch status {
        case .matches: "\(place), as published"
        case .matchesRecord: "\(place), as recorded before; no digest is published"
        default: "\(place); no digest is published, this one is recorded"
        }
    }
}

extension PublishedFiles {
    var howToGet: String {
        switch provision {
        case .download: "fetch it with: runner fetch \(name)"
        case .request(let instructions): instructions
        case .clone(let path): "it comes with the clone: git checkout -- \(path)"
        case .packages(let packages):
            "install Debian's packages \(packages.joined(separator: ", ")): scripts/bootstrap.sh"
        }
    }

    var title: String { "\(name): \(origin). Licence: \(licence)." }
}

extension [FileCheck] {
    func table(title: String) -> TextTable {
        var table = TextTable(title: title, columns: [.init("file"), .init("bytes", .right), .init("status")])
        for check in self { table.addRow([check.name, check.bytes.map(String.init) ?? "", check.status.words]) }
        return table
    }

    /// - Throws: ``Failure`` for the first file that is wrong, or else for those that are missing.
    func requireAll(of published: PublishedFiles, fix: String) throws {
        for check in self {
            switch check.status {
            case .wrongSize, .wrongDigest, .unreadable:
                throw Failure(.badData, "\(check.path): \(check.status.words)", fix: "move the file away, then \(fix)")
            default: continue
            }
        }
        let missing = filter { $0.status == .missing }
        guard let first = missing.first else { return }
        let more = missing.count > 1 ? " and \(missing.count - 1) more" : ""
        throw Failure(.inputMissing, "\(first.path)\(more): not there", fix: fix)
    }
}
