import Pickle
import Safetensors

/// A storage as a pickle refers to it: a run of elements of one type under a key.
struct TorchStorage: Sendable {
    let key: String
    let type: ElementType
    /// Elements of the whole storage.
    let count: Int

    var elementBytes: Int { type.bits / 8 }

    /// Reads `('storage', class, key, device, elements)`, which legacy files end with a view of the
    /// storage or None. Nil for anything else, also for a view.
    init?(_ id: PickleValue) {
        guard let parts = id.elements(upTo: 6), parts.count >= 5, parts[0].string == "storage",
            let storageClass = parts[1].global, storageClass.module == "torch",
            let type = TorchVocabulary.storageTypes[storageClass.name], let key = parts[2].string,
            let count = parts[4].int, type.byteCount(ofShape: [count]) != nil, parts.count == 5 || parts[5].isNone
        else { return nil }
        self.key = key
        self.type = type
        self.count = count
    }
}
