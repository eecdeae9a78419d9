import Foundations

/// Which pictures of a collection are taken, always in the collection's own order.
public enum ImageSampling: Sendable, Hashable, Codable {
    case all
    /// Pictures 0, k, 2k, …, as many as k goes into the set, so that each stands for k: the second-order paper's fit images are
    /// the 5124 of every 250 in ImageNet's training set.
    case every(Int)
    case first(Int)
    /// Different pictures chosen by a seed, the same on every machine.
    case random(Int, seed: UInt64)

    /// Indices of `0..<count`, ascending.
    /// - Throws: ``InputError/outOfRange(what:value:allowed:)`` for a number below 1,
    ///   ``InputError/sampleTooLarge(wanted:available:)``, ``InputError/sampleTooSparse(every:of:)`` where none is left.
    public func indices(of count: Int) throws -> [Int] {
        func check(_ what: String, _ value: Int) throws {
            guard value >= 1 else { throw InputError.outOfRange(what: what, value: value, allowed: 1...Int.max) }
        }
        func checkSize(_ wanted: Int) throws {
            try check("the size of a sample", wanted)
            guard wanted <= count else { throw InputError.sampleTooLarge(wanted: wanted, available: count) }
        }
        switch self {
        case .all:
            return Array(0..<count)
        case .every(let step):
            try check("the step of a sample", step)
            guard step <= count else { throw InputError.sampleTooSparse(every: step, of: count) }
            return (0..<count / step).map { $0 * step }
        case .first(let wanted):
            try checkSize(wanted)
            return Array(0..<wanted)
        case .random(let wanted, let seed):
            try checkSize(wanted)
            var generator = SplitMix64(seed: seed, label: "image sample", index: 0)
            return generator.sample(wanted, of: count).sorted()
        }
    }
}
