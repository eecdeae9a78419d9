import Archives
import Foundation
import Pickle
import TorchCheckpoint

extension Failure {
    static func words(_ error: ArchiveError) -> Failure {
        switch error {
        case .cannotRead(let path, let fault): unread(path, fault)
        case .noSuchFile(let location, let path):
            Failure(
                .inputMissing, "\(location): there is no file \(path)",
                fix: "check that the archive or folder is the one that the name says, and complete")
        case .refused(let location, _, _, .unknownFormat):
            Failure(
                .badData, "\(location): a file that is neither a tar nor a zip archive",
                fix: "name a folder, or an archive such as .tar, .tar.gz or .zip; if it was a download, get it again")
        case .refusedInFolder(let location, let entry, let defect):
            Failure(.badData, "\(location)/\(entry): \(words(inFolder: defect))", fix: fix(inFolder: defect))
        case .refused(let location, let entry, let offset, let defect):
            Failure(
                .badData, "\(location): byte \(offset)\(entry.map { ", entry \($0)" } ?? ""): \(words(defect))",
                fix: "nothing of it was read; get the file again from its publisher")
        case .staleIndex(let location, let reason):
            Failure(
                .badData, "\(location): the index kept of this archive is of another one: \(words(reason))",
                fix: "remove the index; it is built again")
        case .malformedIndex(let offset):
            Failure(
                .badData, "byte \(offset) of a kept index of an archive is not what was written",
                fix: "remove the index; it is built again")
        case .unknownIndexVersion(let version):
            Failure(
                .badData, "a kept index of an archive has the version \(version)",
                fix: "remove the index; it is built again")
        }
    }

    private static func words(_ reason: StaleIndexReason) -> String {
        switch reason {
        case .size(let indexed, let found): "it had \(indexed) bytes, the archive has \(found)"
        case .movedHeaders: "its entries stand elsewhere"
        }
    }

    private static func words(inFolder defect: ArchiveDefect) -> String {
        switch defect {
        case .symbolicLink:
            "a symbolic link to a folder, out of the set or to nothing; expected files, folders, and links to files of the same folder"
        default: words(defect)
        }
    }

    private static func fix(inFolder defect: ArchiveDefect) -> String {
        switch defect {
        case .symbolicLink: "put the files themselves in the link's place, or name the folder that it leads to"
        case .device: "take it out of the folder"
        case .nameNotUTF8, .nameTooLong: "rename it"
        case .tooManyEntries: "name the folder of the set itself, not one above it"
        default: "take it out of the folder, or put a sound file in its place"
        }
    }

    private static func words(_ defect: ArchiveDefect) -> String {
        switch defect {
        case .unknownFormat: "neither a tar nor a zip archive"
        case .truncated: "the archive ends in the middle"
        case .badHeaderChecksum: "the header's checksum is wrong"
        case .badNumber(let field): "'\(field)' is no number that can be"
        case .badRecord(let record): "a damaged record: \(record)"
        case .beyondEnd(let bytes, let available): "\(bytes) bytes are claimed where \(available) are"
        case .overlap: "two entries share bytes"
        case .headersDisagree: "the directory and the entry's own header disagree"
        case .emptyName: "an entry without a name"
        case .nameTooLong(let bytes): "a name of \(bytes) bytes"
        case .nameNotUTF8: "a name that is not UTF-8"
        case .absolutePath: "an absolute path"
        case .leavesFolder: "a path that leaves its folder"
        case .unusualPath: "a path with empty parts or zero bytes"
        case .duplicateName: "a name that stands twice"
        case .symbolicLink: "a symbolic link"
        case .hardLink: "a hard link"
        case .device: "a device or pipe"
        case .sparseFile: "a sparse file"
        case .encrypted: "an encrypted entry"
        case .unsupportedKind(let kind): "an entry of the unknown kind \(kind)"
        case .unsupportedMethod(let method): "an entry compressed by the unknown method \(method)"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes, more than the limit of \(limit)"
        case .compressionRatio(let bytes, let stored): "\(stored) bytes that would become \(bytes)"
        case .tooManyEntries(let limit): "more than \(limit) entries"
        case .checksumMismatch: "the contents do not have their checksum"
        case .undecodable(let reason): "it cannot be decompressed: \(reason)"
        }
    }

    static func words(_ error: TorchCheckpointError) -> Failure {
        switch error {
        case .cannotRead(let path, let fault): unread(path, fault)
        case .notACheckpoint(let path):
            Failure(
                .badData, "\(path): this is no checkpoint that torch wrote",
                fix: "name a file of torch.save or torch.jit.save, or safetensors")
        case .noPickle(let path):
            Failure(
                .badData, "\(path): a zip file without the one pickle that a checkpoint has",
                fix: "name a file of torch.save or torch.jit.save")
        case .noTensors(let path):
            Failure(.badData, "\(path): there are no tensors in it", fix: "save the model's state_dict()")
        case .bigEndian(let path):
            Failure(
                .badData, "\(path): written on a machine with the other byte order",
                fix: "save it again on a little-endian machine")
        case .malformed(let path, let tensor, let defect):
            Failure(
                .badData, "\(path): \(tensor.map { "\($0): " } ?? "")\(words(defect))",
                fix: "save the state_dict() again with a current torch, or get the file again")
        case .noSuchTensor(let path, let tensor):
            Failure(
                .badData, "\(path): there is no tensor \(tensor)",
                fix: "check that the file is the model that its name says")
        case .notConvertible(let path, let tensor, let stored, let wanted):
            Failure(
                .badData, "\(path): \(tensor): \(stored.rawValue) cannot be read as \(wanted)",
                fix: "save the weights as fp32, fp16 or bf16")
        case .pickle(let path, let error):
            Failure(
                .badData, "\(path): its pickle is refused: \(words(error))",
                fix:
                    "nothing in it was run; a checkpoint must hold tensors, dictionaries and numbers only: save the state_dict() again"
            )
        }
    }

    private static func words(_ defect: TensorDefect) -> String {
        switch defect {
        case .badArguments(let function): "\(function) has arguments that torch does not give it"
        case .unknownStorage(let name): "an unknown kind of storage, \(name)"
        case .missingStorage(let key): "the storage \(key) is not in the file"
        case .storageSize(let key, let expected, let found):
            "the storage \(key) has \(found) bytes instead of \(expected)"
        case .beyondStorage(let elements): "reaches beyond its storage of \(elements) numbers"
        case .badShape(let shape): "the shape \(shape) cannot be"
        case .duplicateName: "the name stands twice"
        case .badName: "a name that is no text"
        case .tooManyTensors(let limit): "more than \(limit) tensors"
        case .tooDeep(let limit): "modules nested deeper than \(limit)"
        }
    }

    /// Why a pickle is not read, and where.
    static func words(_ error: PickleError) -> String {
        let (offset, reason) = facts(error)
        return "byte \(offset): \(reason)"
    }

    private static func facts(_ error: PickleError) -> (offset: Int, String) {
        switch error {
        case .truncated(let offset): (offset, "it ends in the middle")
        case .unknownOpcode(let opcode, let offset): (offset, "\(opcode) is no opcode")
        case .refusedOpcode(let name, let offset): (offset, "the opcode \(name) is refused")
        case .unsupportedProtocol(let version, let offset): (offset, "the protocol \(version) is unknown")
        case .refusedGlobal(let global, let offset): (offset, "\(global.module).\(global.name) is refused")
        case .refusedCall(let opcode, let target, let offset):
            (offset, "\(opcode) of \(target.map { "\($0.module).\($0.name)" } ?? "a value") is refused")
        case .stackUnderflow(let opcode, let offset): (offset, "\(opcode) finds too little on the stack")
        case .missingMark(let opcode, let offset): (offset, "\(opcode) finds no mark")
        case .unsuitableValue(let opcode, let offset): (offset, "\(opcode) finds a value of another kind")
        case .missingMemo(let key, let offset): (offset, "nothing was remembered as \(key)")
        case .malformedValue(let opcode, let offset): (offset, "\(opcode) has a malformed value")
        case .beyondEnd(let bytes, let available, let offset):
            (offset, "\(bytes) bytes are claimed where \(available) are")
        case .tooManyBytes(let bytes, let limit): (0, "\(bytes) bytes, more than the limit of \(limit)")
        case .tooManyValues(let limit, let offset): (offset, "more than \(limit) values")
        }
    }
}
