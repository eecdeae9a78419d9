import Foundations

/// What went wrong with a safetensors file, as facts.
public enum SafetensorsError: Error, Equatable, Sendable {
    /// The file cannot be opened or mapped.
    case cannotRead(path: String, FileFault)
    /// The file breaks the format.
    case malformed(path: String, defect: HeaderDefect)
    /// The file has no tensor of that name.
    case noSuchTensor(path: String, tensor: String)
    /// A tensor cannot be read as the wanted numbers without loss.
    /// `tensor` is nil where the tensor has no name yet.
    case notConvertible(path: String?, tensor: String?, stored: ElementType, wanted: String)
    /// An integer of a tensor does not fit the wanted type.
    case valueOutOfRange(path: String?, tensor: String?, index: Int, wanted: String)
    /// A tensor to be stored has a shape that its bytes do not fill.
    case shapeMismatch(shape: [Int], type: ElementType, bytes: Int)
    /// A tensor to be stored has a name that the format reserves.
    case reservedName(String)
    /// Two tensors to be stored have one name.
    case duplicateName(String)
    /// A tensor to be stored has a negative dimension, or more bytes than there are numbers for.
    case impossibleShape(tensor: String, shape: [Int])
    /// What is to stand in the header takes more bytes than any reader of the format accepts.
    case headerTooLarge(bytes: Int)
}

/// The ways in which the bytes of a file break the safetensors format.
public enum HeaderDefect: Error, Equatable, Sendable {
    /// The file is shorter than the 8 bytes of the header's length.
    case tooShort(bytes: Int)
    /// The header claims more than 100 MB.
    case headerTooLarge(bytes: UInt64)
    /// The header claims more bytes than the file holds.
    case headerBeyondEnd(bytes: Int, available: Int)
    case headerNotUTF8
    /// The header is not JSON, or not of the format's shape. `offset` counts bytes of the header.
    case invalidJSON(offset: Int, problem: JSONProblem)
    case duplicateKey(String)
    case unknownElementType(tensor: String, name: String)
    case missingField(tensor: String, field: String)
    /// The size of the tensor overflows, or its elements do not fill whole bytes.
    case invalidShape(tensor: String, shape: [Int])
    /// The tensor's bytes do not start where the preceding tensor's bytes end:
    /// a hole, an overlap, or an end before the start.
    case invalidOffsets(tensor: String, start: Int, end: Int, expectedStart: Int)
    /// Shape and type ask for another number of bytes than the offsets span.
    case sizeMismatch(tensor: String, expected: Int, spanned: Int)
    /// The tensors end before or after the end of the file.
    case lengthMismatch(expected: Int, actual: Int)
}

/// Why a header is not acceptable JSON.
public enum JSONProblem: Error, Equatable, Sendable {
    case unexpectedEnd
    case unexpectedByte(UInt8)
    /// A value of another kind than the format has at this place.
    case expected(String)
    case invalidNumber
    case invalidEscape
    case controlCharacter
    case tooDeep
    case trailingBytes
}
