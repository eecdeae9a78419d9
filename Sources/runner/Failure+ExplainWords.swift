import CLIPModel
import Foundation
import Pipeline

extension Failure {
    static func words(_ error: InputSizeError) -> Failure {
        let choices = error.nearest.map(String.init).joined(separator: " or ")
        return Failure(
            .usage, "a square of \(error.imageSize) pixels cannot be cut into patches of \(error.patchSize)",
            fix: choices.isEmpty ? "choose a multiple of \(error.patchSize)" : "choose \(choices)")
    }

    /// The words for an error in an explanation, which leaves nothing of what it had.
    init(explain error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case PipelineError.cannotWrite(let path, let errno):
            self.init(
                .cannotWrite, "\(path): cannot be written: \(String(cString: strerror(errno)))",
                fix: "choose a folder that can be written, with --output")
        case PipelineError.saveFailed(let path, let errno, let freeBytes):
            let free = freeBytes.map { " (\(ByteCount(Int(clamping: $0))) free)" } ?? ""
            self.init(
                .saveFailed, "\(path): could not be saved: \(String(cString: strerror(errno)))\(free)",
                fix: "make room or choose another folder with --output")
        case CheckpointError.missingFolder(let path):
            self.init(.inputMissing, "\(path): there is no such model", fix: "name a model folder or a file of weights with --model")
        default: self.init(error)
        }
    }
}
