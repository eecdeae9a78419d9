import CLIPModel
import Foundation
import Foundations
import Safetensors

extension Failure {
    private static let refetch = "restore the file (git checkout for emoji-clip, a new download for others)"

    static func words(_ error: CheckpointError) -> Failure {
        switch error {
        case .missingFolder(let path):
            Failure(
                .inputMissing, "\(path): there is no such model", fix: "check the model's path in datasets.manifest")
        case .missingWeights(let path, let expected):
            Failure(
                .inputMissing, "\(path): has no \(expected)",
                fix: "put the model's weights there as they were published")
        case .ambiguousFolder(let path, let files):
            Failure(
                .badData, "\(path): holds more than one model: \(files.joined(separator: ", "))",
                fix: "give the path of the file that is meant")
        case .missingConfiguration(let path, let expected):
            Failure(
                .inputMissing, "\(path): nothing tells the architecture and the non-linearity of these weights",
                fix: "put the model's \(expected) beside the file")
        case .unknownNames(let path, let examples):
            Failure(
                .badData,
                "\(path): its tensors have the names of no CLIP with a vision transformer: \(examples.joined(separator: ", "))",
                fix: "use a ViT of OpenAI's, OpenCLIP's or Hugging Face's")
        case .cannotInfer(let path, let tensor, let found, let expected):
            Failure(
                .badData,
                "\(path): tensor \(tensor) \(found.map { "has the shape \($0)" } ?? "is missing"), expected \(expected)",
                fix: refetch)
        case .missingShard(let path, let shard):
            Failure(.inputMissing, "\(path): its shard \(shard) is not there", fix: refetch)
        case .tensorNotInShard(let path, let tensor, let shard):
            Failure(.badData, "\(path): says that \(shard) has the tensor \(tensor), which it does not", fix: refetch)
        case .tensorInTwoShards(let path, let tensor, let shards):
            Failure(.badData, "\(path): tensor \(tensor) is in \(shards.joined(separator: " and in "))", fix: refetch)
        case .tensorNotInIndex(let path, let tensor, let shard):
            Failure(.badData, "\(path): does not list the tensor \(tensor) of \(shard)", fix: refetch)
        case .unsupportedType(let path, let tensor, let found):
            Failure(
                .badData, "\(path): tensor \(tensor) has the element type \(found)",
                fix: "convert the weights to F32, F16 or BF16")
        case .notFinite(let path, let tensor, let index):
            Failure(.badData, "\(path): tensor \(tensor): element \(index) is not a finite number", fix: refetch)
        }
    }

    static func words(_ error: SafetensorsError) -> Failure {
        switch error {
        case .cannotRead(let path, let fault): unread(path, fault)
        case .malformed(let path, let defect):
            Failure(.badData, "\(path): not a valid safetensors file: \(words(defect))", fix: refetch)
        case .noSuchTensor(let path, let tensor):
            Failure(.badData, "\(path): has no tensor \(tensor)", fix: refetch)
        case .notConvertible(let path, let tensor, let stored, let wanted):
            Failure(
                .badData, "\(path ?? "a tensor"): \(tensor ?? ""): \(stored.rawValue) cannot be read as \(wanted)",
                fix: refetch)
        case .valueOutOfRange(let path, let tensor, let index, let wanted):
            Failure(
                .badData, "\(path ?? "a tensor"): \(tensor ?? ""): element \(index) does not fit \(wanted)",
                fix: refetch)
        case .headerTooLarge(let bytes):
            Failure(
                .badData,
                "the names of the pictures and texts take \(ByteCount(bytes)) of header, which no reader of safetensors accepts",
                fix: "export fewer at once, with --limit")
        case .shapeMismatch, .reservedName, .duplicateName, .impossibleShape:
            Failure(.internalError, "\(error)", fix: "this is a bug of clip-lens; please report it")
        }
    }

    private static func words(_ defect: HeaderDefect) -> String {
        switch defect {
        case .tooShort(let bytes): "\(bytes) bytes are too few for a header"
        case .headerTooLarge(let bytes): "its header claims \(bytes) bytes"
        case .headerBeyondEnd(let bytes, let available):
            "its header claims \(bytes) bytes, the file has \(available) left; it may be truncated"
        case .headerNotUTF8: "its header is not UTF-8"
        case .invalidJSON(let offset, let problem): "header byte \(offset): \(problem)"
        case .duplicateKey(let key): "the key \(key) stands twice"
        case .unknownElementType(let tensor, let name): "tensor \(tensor): unknown element type \(name)"
        case .missingField(let tensor, let field): "tensor \(tensor): '\(field)' is missing"
        case .invalidShape(let tensor, let shape): "tensor \(tensor): impossible shape \(shape)"
        case .invalidOffsets(let tensor, let start, let end, let expected):
            "tensor \(tensor): offsets \(start) to \(end), expected to start at \(expected)"
        case .sizeMismatch(let tensor, let expected, let spanned):
            "tensor \(tensor): its shape takes \(expected) bytes, its offsets span \(spanned)"
        case .lengthMismatch(let expected, let actual):
            "its tensors end at byte \(expected), the file at \(actual); it may be truncated"
        }
    }

    static func words(_ error: ConfigurationError) -> Failure {
        switch error {
        case .missingFile(let path):
            Failure(
                .inputMissing, "\(path): not found",
                fix:
                    "weights in the Hugging Face layout need config.json and preprocessor_config.json beside them; \(refetch)"
            )
        case .unreadableFile(let path, let reason):
            Failure(.inputMissing, "\(path): \(reason)", fix: "check the path and its permissions")
        case .fileTooLarge(let path, let limit):
            Failure(.badData, "\(path): larger than \(limit) bytes", fix: refetch)
        case .notAJSONObject(let path, let reason):
            Failure(.badData, "\(path): not a JSON object: \(reason)", fix: refetch)
        case .invalidValue(let path, let key, let found, let expected):
            Failure(.badData, "\(path): '\(key)' is \(found), expected \(words(expected))", fix: refetch)
        case .unsupportedKey(let path, let key, let found):
            Failure(
                .badData, "\(path): '\(key)' is \(found), which asks for an architecture that clip-lens does not have",
                fix: "use a CLIP with a plain vision transformer and OpenAI's text tower")
        case .unsupportedPreprocessing(let path, let key, let found, let supported):
            Failure(
                .badData,
                "\(path): '\(key)' is \(found), a way to prepare pictures that clip-lens does not have"
                    + (supported.isEmpty ? "" : "; expected \(supported.joined(separator: " or "))"),
                fix:
                    "use a model that was trained with another preprocessing; with this key changed, it would see other pictures than in training"
            )
        case .parametersDisagree(let path, let missing, let unexpected, let mismatched):
            Failure(
                .badData,
                "\(path): the weights are not those of the architecture that the configuration states: "
                    + [
                        list("missing", missing), list("unexpected", unexpected),
                        list("of another shape", mismatched.map { "\($0.name) \($0.found), expected \($0.expected)" }),
                    ].compactMap { $0 }.joined(separator: "; "),
                fix: "use the configuration that came with these weights")
        }
    }

    /// The first of many names, and how many more there are.
    private static func list(_ what: String, _ names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        let more = names.count > 3 ? " and \(names.count - 3) more" : ""
        return "\(what): \(names.prefix(3).joined(separator: ", "))\(more)"
    }

    private static func words(_ expected: ConfigurationError.Expectation) -> String {
        switch expected {
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .divisor(let number): "a divisor of \(number)"
        case .number(let range): "a number from \(range.lowerBound) to \(range.upperBound)"
        case .numbers(let count, let range): "\(count) numbers from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .object: "an object"
        case .string: "a text"
        case .fileName: "the name of a file in the same folder"
        case .oneOf(let choices): "one of \(choices.joined(separator: ", "))"
        case .exactly(let number): "\(number)"
        case .size: "a size, as a number or as height and width"
        }
    }

    static func words(_ error: TokenizerError) -> Failure {
        switch error {
        case .missingFile(let path): Failure(.inputMissing, "\(path): not found", fix: refetch)
        case .unreadableFile(let path, let reason): Failure(.inputMissing, "\(path): \(reason)", fix: refetch)
        case .fileTooLarge(let path, let limit): Failure(.badData, "\(path): larger than \(limit) bytes", fix: refetch)
        case .notUTF8(let path): Failure(.badData, "\(path): not UTF-8", fix: refetch)
        case .malformedVocabulary(let path, let line, let expected):
            Failure(.badData, "\(path):\(line): expected \(expected)", fix: refetch)
        case .tokenIDNotInteger(let path, let line, let token):
            Failure(.badData, "\(path):\(line): the id of \(token) is not a whole number", fix: refetch)
        case .tokenIDOutOfRange(let path, let line, let token, let id, let size):
            Failure(
                .badData, "\(path):\(line): the id \(id) of \(token) is not below the vocabulary's size \(size)",
                fix: refetch)
        case .duplicateToken(let path, let line, let token):
            Failure(.badData, "\(path):\(line): \(token) stands twice", fix: refetch)
        case .duplicateTokenID(let path, let line, let token, let id):
            Failure(.badData, "\(path):\(line): \(token) has the id \(id) of another token", fix: refetch)
        case .missingSpecialToken(let path, let token): Failure(.badData, "\(path): has no \(token)", fix: refetch)
        case .malformedMerge(let path, let line, let parts):
            Failure(.badData, "\(path):\(line): a merge has two parts, this line has \(parts)", fix: refetch)
        case .mergeSymbolNotInVocabulary(let path, let line, let symbol):
            Failure(.badData, "\(path):\(line): \(symbol) is not in the vocabulary", fix: refetch)
        case .duplicateMerge(let path, let line, let left, let right):
            Failure(.badData, "\(path):\(line): the merge of \(left) and \(right) stands twice", fix: refetch)
        case .truncatedGzip(let path): Failure(.badData, "\(path): ends too early; it is truncated", fix: refetch)
        case .damagedGzip(let path):
            Failure(
                .badData, "\(path): damaged: it does not decompress, or not to what its check sum says", fix: refetch)
        case .tooFewMerges(let path, let found, let expected):
            Failure(.badData, "\(path): has \(found) merges, the model's vocabulary needs \(expected)", fix: refetch)
        case .vocabularyTooSmall(let size, let smallest):
            Failure(
                .badData, "a token embedding of \(size) rows: CLIP's vocabulary has at least \(smallest) tokens",
                fix: refetch)
        case .contextTooShort(let length):
            Failure(.badData, "a context of \(length) tokens holds no text", fix: refetch)
        case .endTokenDisagrees(let path, let tokenizer, let model):
            Failure(
                .badData, "\(path): texts end with token \(tokenizer), but the model looks for \(model)",
                fix: "use the vocab.json and config.json of one model")
        }
    }
}
