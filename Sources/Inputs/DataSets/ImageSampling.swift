import DenseMath

/// Which pictures of a collection are taken, always in the collection's own order.
public enum ImageSampling: Sendable, Hashable, Codable {
    case all
    /// Pictures 0, k, 2k, …: the papers' 5000 fit images are every 250th of ImageNet's training set.
    case every(Int)
    case first(Int)
    /// Different pictures chosen by a seed, the same on every machine.
    case random(Int, seed: UInt64)

    /// Indices of `0..<count`, ascending.
    /// - Throws: ``InputError/outOfRange(what:value:allowed:)`` for a number below 1, or a sample larger than the set.
    public func indices(of count: Int) throws -> [Int] {
        func check(_ what: String, _ value: Int, _ allowed: ClosedRange<Int>) throws {
            guard allowed.contains(value) else { throw InputError.outOfRange(what: what, value: value, allowed: allowed) }
        }
        switch self {
        case .all:
            return Array(0..<count)
        case .every(let step):
            try check("the step of a sample", step, 1...Int.max)
            return Array(stride(from: 0, to: count, by: step))
        case .first(let wanted):
            try check("the size of a sample", wanted, 1...max(count, 1))
            return Array(0..<min(wanted, count))
        case .random(let wanted, let seed):
            try check("the size of a sample", wanted, 1...max(count, 1))
            var generator = SplitMix64(seed: seed, label: "image sample", index: 0)
            return generator.sample(wanted, of: count).sorted()
        }
    }
}
