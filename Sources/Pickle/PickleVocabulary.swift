/// A class or function that a pickle names. It is only a name: nothing is looked up.
public struct PickleGlobal: Hashable, Sendable {
    public let module: String
    public let name: String

    public init(_ module: String, _ name: String) {
        self.module = module
        self.name = name
    }
}

/// The globals that a reader knows; any other is refused.
public struct PickleVocabulary: Sendable {
    /// Globals that REDUCE and NEWOBJ may apply to arguments. What comes out is a record of the
    /// global and its arguments.
    public var callables: Set<PickleGlobal>
    /// Globals that may only be mentioned, such as the storage classes of torch.
    public var names: Set<PickleGlobal>
    /// Modules, and all modules inside them, whose classes may be called, such as `__torch__`.
    public var recordModules: Set<String>

    public init(
        callables: Set<PickleGlobal> = [], names: Set<PickleGlobal> = [], recordModules: Set<String> = []
    ) {
        self.callables = callables
        self.names = names
        self.recordModules = recordModules
    }
}

/// What a pickle may ask of its reader.
public struct PickleLimits: Equatable, Sendable {
    public var bytes: Int
    /// Values, marks and entries of the memo.
    public var values: Int

    public static let standard = PickleLimits()

    public init(bytes: Int = 256 << 20, values: Int = 4_000_000) {
        self.bytes = bytes
        self.values = values
    }
}

extension PickleVocabulary {
    /// What arrays of numpy, and bytes that Python 3 wrote for Python 2, are made of.
    public static let numpy = PickleVocabulary(
        callables: [
            PickleGlobal("numpy.core.multiarray", "_reconstruct"),
            PickleGlobal("numpy._core.multiarray", "_reconstruct"),
            PickleGlobal("numpy", "dtype"),
            PickleGlobal("_codecs", "encode"),
            PickleGlobal("__builtin__", "bytes"),
            PickleGlobal("builtins", "bytes"),
        ],
        names: [PickleGlobal("numpy", "ndarray")])
}
