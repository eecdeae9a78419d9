import Foundation

/// SplitMix64 (Steele, Lea and Flood 2014), a counter-based generator: what is drawn for one item does not depend on the
/// items before it nor on threads, and integer arithmetic makes it the same on every machine.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// A generator for one of 2⁶⁴ numbered streams under `seed`, such as a replicate of a bootstrap.
    @inlinable
    public init(seed: UInt64, stream: UInt64) {
        state = Self.mix(Self.mix(seed &+ Self.increment) ^ stream &* 0xd1b5_4a32_d192_ed03)
    }

    /// A generator for item `index` of the stream called `label` under `seed`.
    public init(seed: UInt64, label: String, index: UInt64) {
        // FNV-1a over the label keeps streams of different names apart.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in label.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        var outer = SplitMix64(seed: seed ^ hash)
        var inner = SplitMix64(seed: outer.next() &+ index &* Self.increment)
        state = inner.next() ^ hash
    }

    @inlinable
    public mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.mix(state)
    }

    @inlinable static var increment: UInt64 { 0x9e37_79b9_7f4a_7c15 }

    @inlinable
    static func mix(_ input: UInt64) -> UInt64 {
        var z = input
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number in [0, 1) with 53 random bits.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    public mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound + (range.upperBound - range.lowerBound) * uniform()
    }

    /// Independent numbers of the standard normal distribution (Box and Muller 1958).
    public mutating func normals(_ count: Int) -> [Float] {
        var numbers: [Float] = []
        numbers.reserveCapacity(count + 1)
        while numbers.count < count {
            // 1 − u is above 0, so that its logarithm is finite.
            let (length, angle) = ((-2 * log(1 - uniform())).squareRoot(), 2 * Double.pi * uniform())
            numbers += [Float(length * cos(angle)), Float(length * sin(angle))]
        }
        return Array(numbers.prefix(count))
    }

    /// An integer in 0 ..< bound (multiply-shift; the bias is below bound / 2⁶⁴).
    public mutating func below(_ bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A permutation of 0 ..< count (Fisher–Yates).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, below(i + 1)) }
        return order
    }

    /// `count` different numbers of 0 ..< bound, in random order (Floyd's algorithm).
    public mutating func sample(_ count: Int, of bound: Int) -> [Int] {
        var chosen: Set<Int> = []
        var order: [Int] = []
        for j in bound - min(count, bound)..<bound {
            let draw = below(j + 1)
            let pick = chosen.contains(draw) ? j : draw
            chosen.insert(pick)
            order.append(pick)
        }
        return order
    }
}
