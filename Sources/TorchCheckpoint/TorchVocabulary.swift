import Pickle
import Safetensors

/// The globals that checkpoints of torch are made of.
enum TorchVocabulary {
    static let all = PickleVocabulary(
        callables: Set(
            rebuilders.keys + [
                rebuildFromType,
                PickleGlobal("collections", "OrderedDict"),
                PickleGlobal("torch", "Size"),
                PickleGlobal("torch", "device"),
            ] + jitHelpers.map { PickleGlobal("torch.jit._pickle", $0) }),
        names: Set(
            storageTypes.keys.map { PickleGlobal("torch", $0) }
                + elementTypes.map { PickleGlobal("torch", $0) } + [
                    PickleGlobal("torch", "Tensor"), PickleGlobal("torch.nn.parameter", "Parameter"),
                ]),
        recordModules: [moduleClasses])

    /// TorchScript puts the classes of its modules under this name.
    static let moduleClasses = "__torch__"

    /// What a function that makes a tensor is given.
    enum Rebuilder {
        /// Storage, offset, shape and strides, in elements.
        case view
        /// A tensor first.
        case wrapper
    }

    static let rebuilders: [PickleGlobal: Rebuilder] = [
        PickleGlobal("torch._utils", "_rebuild_tensor"): .view,
        PickleGlobal("torch._utils", "_rebuild_tensor_v2"): .view,
        PickleGlobal("torch._utils", "_rebuild_parameter"): .wrapper,
        PickleGlobal("torch._utils", "_rebuild_parameter_with_state"): .wrapper,
    ]

    /// Given a function, a class, the function's arguments and attributes.
    static let rebuildFromType = PickleGlobal("torch._tensor", "_rebuild_from_type_v2")

    static let storageTypes: [String: ElementType] = [
        "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "DoubleStorage": .float64, "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16,
        "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    ]

    /// The types that checkpoints mention beside their tensors.
    private static let elementTypes = [
        "float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool",
    ]

    /// Lists of numbers and the like among the attributes of a module.
    private static let jitHelpers = [
        "build_boollist", "build_doublelist", "build_intlist", "build_tensor_from_id", "build_tensorlist",
        "restore_type_tag",
    ]
}
