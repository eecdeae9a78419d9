import Foundations
import Pickle
import Safetensors

/// What is wrong with a checkpoint of torch, as facts.
public enum TorchCheckpointError: Error, Equatable, Sendable {
    case cannotRead(path: String, FileFault)
    /// The file is neither a zip file nor begins with the magic number of a legacy file.
    case notACheckpoint(path: String)
    /// The zip file has no pickle, or several.
    case noPickle(path: String)
    /// The pickle holds no dictionary with tensors and no module.
    case noTensors(path: String)
    /// The file was written on a machine with the other byte order.
    case bigEndian(path: String)
    /// Something in the pickle is not what torch writes.
    case malformed(path: String, tensor: String?, defect: TensorDefect)
    /// A pickle asks for what is not read, or is damaged.
    case pickle(path: String, PickleError)
    case noSuchTensor(path: String, tensor: String)
    /// A tensor cannot be read as the wanted numbers.
    case notConvertible(path: String, tensor: String, stored: ElementType, wanted: String)
}

/// How the record of a tensor breaks what torch writes.
public enum TensorDefect: Error, Equatable, Sendable {
    /// The arguments of a rebuilding function are not those that it takes.
    case badArguments(function: String)
    /// A reference to a storage that is not of torch's form, or whose class, where there is one, has no
    /// known element type.
    case unknownStorage(String)
    /// The storage that the tensor refers to is not in the file.
    case missingStorage(key: String)
    /// A storage of the file has another size than the pickle says.
    case storageSize(key: String, expected: Int, found: Int)
    /// Offset, shape and strides reach beyond the storage.
    case beyondStorage(elements: Int)
    /// The shape has a negative dimension, or more elements than can be.
    case badShape([Int])
    case duplicateName
    /// A name is no string, or longer than 4096 bytes.
    case badName
    case tooManyTensors(limit: Int)
    case tooDeep(limit: Int)
}
