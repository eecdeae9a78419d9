import CLIPModel
import Experiments
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

extension Failure {
    static func words(_ error: ExportError) -> Failure {
        switch error {
        case .noPictures(let location, 0):
            Failure(
                .inputMissing, "\(location): there is no picture in it",
                fix: "name a folder or an archive with PNG or JPEG files")
        case .noPictures(let location, let skipped):
            Failure(
                .badData, "\(location): none of the \(skipped) pictures can be read",
                fix: "name a folder or an archive with sound PNG or JPEG files")
        case .tooFewPictures(let found, let needed):
            Failure(
                .badData, "\(found) picture\(found == 1 ? "" : "s"), but means and directions need \(needed)",
                fix: "give more pictures; `second-order --no-fit` does without")
        case .noSecondOrderEffects(let layer, let layers):
            Failure(
                .usage,
                layer == layers - 1
                    ? "layer \(layer) is the last of \(layers): no later attention layer reads its neurons, so they have no second-order effects"
                    : "there is no layer \(layer): the model's are 0 to \(layers - 1), and the last has no second-order effects",
                fix: layers > 1 ? "choose a layer from 0 to \(layers - 2)" : "choose a model with more layers")
        case .neuronOutOfRange(let neuron, let neurons):
            Failure(
                .usage, "there is no neuron \(neuron): a layer of this model has \(neurons)",
                fix: "choose neurons from 0 to \(neurons - 1), for example 0...\(min(64, neurons) - 1)")
        case .repeatedIndex(let selection):
            Failure(.usage, "\(selection): an index stands twice", fix: "name each once")
        case .textsNotUsed(let method):
            Failure(.usage, "maps of \(method) do not depend on texts", fix: "leave --text and --texts out")
        case .textsMissing(let method):
            Failure(.usage, "\(method): no texts", fix: "give some with --text or --texts")
        case .contrastMissing(let method):
            Failure(
                .usage, "\(method) compares a text with the mean of several, and there is only one",
                fix: "give more texts, or others to compare with by --contrast FILE")
        }
    }

    /// The words for an error in an export, which keeps the steps that were finished, and nothing of the file.
    /// - Parameter results: the folder of the steps.
    init(export error: any Error, results: URL, interruption: Interruption) {
        switch error {
        case let error as OutputError where !error.path.hasPrefix(results.path + "/") && error.path != results.path:
            self.init(
                error, elsewhere: "choose a file in a folder that is there and can be written, with --output",
                again: "run the same command again; finished shards are kept")
        case PipelineError.interrupted:
            self.init(
                interruption.code ?? .interrupted, "interrupted; nothing was written, finished shards are kept",
                fix: "run the same command again")
        case CheckpointError.missingFolder(let path):
            self.init(
                .inputMissing, "\(path): there is no such model",
                fix: "name a model folder or a file of weights with --model")
        default:
            self.init(error)
        }
    }
}
