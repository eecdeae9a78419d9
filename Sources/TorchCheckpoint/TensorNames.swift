import Pickle

/// The tensors of a pickle under their names in the state dict.
struct TensorNames {
    private(set) var tensors: [(name: String, value: PickleValue)] = []
    let isModule: Bool

    private static let countLimit = 100_000
    private static let attributeLimit = 1_000_000
    private static let nameLimit = 4096
    private static let depthLimit = 64
    /// Keys under which training scripts keep a state dict beside other things.
    private static let wrapperKeys = ["state_dict", "model", "model_state_dict", "module"]
    /// What DataParallel puts in front of every name.
    private static let parallelPrefix = "module."

    /// - Throws: `TensorDefect`. Where there are no tensors, none are found.
    init(in root: PickleValue) throws {
        isModule = Self.isModule(root)
        if isModule {
            try collectAttributes(of: root)
        } else {
            try collectPairs(of: Self.stateDict(in: root))
        }
        if !tensors.isEmpty, tensors.allSatisfy({ $0.name.hasPrefix(Self.parallelPrefix) }) {
            tensors = tensors.map { (String($0.name.dropFirst(Self.parallelPrefix.count)), $0.value) }
        }
    }

    private static func stateDict(in root: PickleValue) -> PickleValue {
        var dictionary = root
        // A wrapper in a wrapper is as deep as it gets.
        for _ in 0..<2 {
            let inner = wrapperKeys.lazy.compactMap { dictionary[$0] }.first { $0.pairs != nil }
            guard let inner else { break }
            dictionary = inner
        }
        return dictionary
    }

    private mutating func collectPairs(of dictionary: PickleValue) throws {
        for (key, value) in dictionary.pairs ?? [] where TensorView.isTensor(value) {
            try append(Self.name("", key), value)
        }
    }

    /// Names join what a pickle may share and the walk must spell out: their length is bounded.
    private static func name(_ prefix: String, _ key: PickleValue) throws -> String {
        guard let key = key.string, prefix.utf8.count + key.utf8.count <= nameLimit else {
            throw TensorDefect.badName
        }
        return prefix + key
    }

    // MARK: Modules of TorchScript

    private static func isModule(_ value: PickleValue) -> Bool {
        guard let module = value.object?.callable.module else { return false }
        return (module + ".").hasPrefix(TorchVocabulary.moduleClasses + ".")
    }

    /// Walks the tree of modules without recursion. Modules that share parts may spell out any number
    /// of paths: depth and the number of attributes met are bounded.
    private mutating func collectAttributes(of root: PickleValue) throws {
        var waiting = [(prefix: "", depth: 0, module: root)]
        var met = 0
        while let (prefix, depth, module) = waiting.popLast() {
            guard depth <= Self.depthLimit else { throw TensorDefect.tooDeep(limit: Self.depthLimit) }
            for (key, value) in module.object?.state?.pairs ?? [] {
                met += 1
                guard met <= Self.attributeLimit else {
                    throw TensorDefect.tooManyTensors(limit: Self.attributeLimit)
                }
                if TensorView.isTensor(value) {
                    try append(Self.name(prefix, key), value)
                } else if Self.isModule(value) {
                    waiting.append((try Self.name(prefix, key) + ".", depth + 1, value))
                }
            }
        }
    }

    private mutating func append(_ name: String, _ value: PickleValue) throws {
        guard tensors.count < Self.countLimit else { throw TensorDefect.tooManyTensors(limit: Self.countLimit) }
        tensors.append((name, value))
    }
}
