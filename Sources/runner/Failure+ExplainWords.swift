import CLIPModel
import Foundation
import Foundations
import Inputs
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
        case let error as OutputError:
            self.init(
                error, elsewhere: "choose a folder that can be written, with --output",
                again: "run the same command again")
        case InputError.pictureRefused(let name, let fault):
            self.init(.badData, "\(name): \(fault.text)", fix: fault.fix)
        case InputError.imageNotRead(let path, let reason):
            self.init(.badData, "\(path): \(reason)", fix: "name a PNG or JPEG file with --image")
        case InputError.missingFile(let path, let purpose):
            self.init(
                .inputMissing, "\(path): not found; it is needed as \(purpose)",
                fix: path.hasSuffix("templates-85.txt")
                    ? "run in the folder of the clone, or name a file of sentences with --templates" : "check the path")
        case DataSetError.noLines(let path, let expected):
            self.init(
                .badData, "\(path): the file is empty, expected is \(expected) in each line",
                fix: "write them into it, or leave the option out")
        case CheckpointError.missingFolder(let path):
            self.init(
                .inputMissing, "\(path): there is no such model",
                fix: "name a model folder or a file of weights with --model")
        default: self.init(error)
        }
    }
}
