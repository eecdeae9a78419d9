/// Why a pickle is refused. Offsets count bytes from the start of what was given to read.
public enum PickleError: Error, Equatable, Sendable {
    /// The bytes end within an opcode, or before STOP.
    case truncated(offset: Int)
    /// A byte that is no opcode.
    case unknownOpcode(UInt8, offset: Int)
    /// An opcode that pickle has and this reader does not carry out, under its name.
    case refusedOpcode(String, offset: Int)
    case unsupportedProtocol(Int, offset: Int)
    /// A global that the vocabulary does not know.
    case refusedGlobal(PickleGlobal, offset: Int)
    /// REDUCE, NEWOBJ or BUILD on something that the vocabulary does not let be called. `target` is
    /// nil where it is no global at all.
    case refusedCall(opcode: String, target: PickleGlobal?, offset: Int)
    /// An opcode asks for more than the stack holds.
    case stackUnderflow(opcode: String, offset: Int)
    /// There is no MARK for the opcode.
    case missingMark(opcode: String, offset: Int)
    /// An opcode meets a value of a kind that it does not work on.
    case unsuitableValue(opcode: String, offset: Int)
    /// The memo holds nothing under this key.
    case missingMemo(key: Int, offset: Int)
    /// A number or string whose bytes do not say one.
    case malformedValue(opcode: String, offset: Int)
    /// An opcode's argument claims more bytes than there are.
    case beyondEnd(bytes: UInt64, available: Int, offset: Int)
    case tooManyBytes(Int, limit: Int)
    case tooManyValues(limit: Int, offset: Int)
}
