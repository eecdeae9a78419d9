import Foundation
import Inputs

extension Failure {
    private static let again = "run the same command again: it goes on where it ended"

    /// What goes wrong when files are fetched.
    static func words(_ error: FetchError) -> Failure {
        switch error {
        case .unsupportedAddress(let address):
            Failure(
                .badData, "'\(address)' is no address to fetch from",
                fix: "use http, https or file in datasets.manifest")
        case .refusedRedirect(let from, let to):
            Failure(
                .unavailable, "\(from): sends on to \(to), which is not followed",
                fix:
                    "only https, or http from http, is followed; correct the address in datasets.manifest if the file has moved"
            )
        case .tooManyRedirects(let address, let limit):
            Failure(
                .unavailable, "\(address): sends on more than \(limit) times",
                fix: "try again later, or correct the address in datasets.manifest")
        case .badStatus(let address, let status):
            switch status {
            case 401, 403:
                Failure(
                    .inputMissing, "\(address): the server refuses access (HTTP \(status))",
                    fix: "see the data set's page for how to get it, and put the files into its folder by hand")
            case 404, 410:
                Failure(
                    .inputMissing, "\(address): not there any more (HTTP \(status))",
                    fix: "look for its new address and correct datasets.manifest")
            default: Failure(.unavailable, "\(address): the server answers with HTTP \(status)", fix: again)
            }
        case .transferFailed(let address, let reason, let received):
            Failure(.unavailable, "\(address): \(reason); \(ByteCount(received)) are here", fix: again)
        case .timedOut(let address, let received):
            Failure(
                .unavailable, "\(address): no answer, or no byte for too long; \(ByteCount(received)) are here",
                fix: again)
        case .wrongSize(let path, let expected, let found):
            Failure(
                .badData, "\(path): the server has \(found) bytes, the manifest says \(expected); not kept",
                fix:
                    "the publisher has another file now, or something on the way replaces it; do not use it before you know why"
            )
        case .wrongDigest(let path, let algorithm, let expected, let found, let isRecorded):
            Failure(
                .badData, "\(path): what came has \(algorithm.rawValue) \(found), expected \(expected); not kept",
                fix: isRecorded
                    ? "the publisher has another file than when it was first fetched; if that is meant, remove \(path).sha256 and fetch again"
                    : "fetch it again; if it stays so, the publisher has another file, or something on the way replaces it"
            )
        case .otherFile(let path, let status):
            Failure(.badData, "\(path): \(status.words)", fix: "move the file away and fetch again")
        case .cannotWrite(let path, let errno):
            Failure(
                .cannotWrite, "\(path): cannot be written: \(String(cString: strerror(errno)))",
                fix: "choose another folder with --folder, or change its permissions")
        case .saveFailed(let path, let errno, let freeBytes):
            Failure(
                .saveFailed,
                "\(path): could not be saved: \(String(cString: strerror(errno)))\(room(Int64(freeBytes), errno))",
                fix: "\(remedy(errno) ?? "choose another folder with --folder"); then \(again)")
        case .noRoom(let path, let needed, let freeBytes):
            Failure(
                .saveFailed, "\(path): \(ByteCount(needed)) are still to come, \(ByteCount(freeBytes)) are free",
                fix: "make room, or choose another folder with --folder")
        case .cancelled:
            Failure(.interrupted, "interrupted; what has come is kept", fix: again)
        }
    }
}
