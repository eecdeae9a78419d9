import DenseMath

/// Bounds below every neuron's threshold t_n, found while the means are still being summed.
///
/// Norms from a provisional mean φ̃_n, of the first images, differ from those from φ̄_n by at most
/// ‖φ̄_n − φ̃_n‖ (triangle inequality). So if C images are at least τ away from φ̃_n, the C-th largest norm is
/// at least τ − ‖φ̄_n − φ̃_n‖, and the next pass need keep only effects that reach this floor: little more than
/// C images a neuron, instead of C of every shard. Belongs to one worker.
public final class NormFloors {
    /// The C largest bounds of each neuron.
    private var heaps: [BoundedHeap]
    private let capacity: Int

    /// - Parameter capacity: C.
    public init(neurons: Int, capacity: Int) {
        self.capacity = capacity
        heaps = [BoundedHeap](repeating: BoundedHeap(capacity: capacity), count: neurons)
    }

    /// Adds the batch last given to `effects`, which are centred at the provisional means.
    public func insert(_ effects: CentredEffects, batch: Int, firstImage: Int) {
        for n in heaps.indices {
            for image in 0..<batch {
                insert(n, effects.lowerBound(of: n, image: image), image: Int32(firstImage + image))
            }
        }
    }

    /// Adds what another run of images has found.
    /// - Parameter bounds: as in ``bounds``.
    public func insert(_ bounds: Tensor, firstImage: Int) {
        let columns = bounds.rowWidth
        for n in heaps.indices {
            for c in 0..<columns { insert(n, bounds.elements[n * columns + c], image: Int32(firstImage + c)) }
        }
    }

    private func insert(_ n: Int, _ bound: Float, image: Int32) {
        if heaps[n].count == capacity, let smallest = heaps[n].smallestScore, bound <= smallest { return }
        _ = heaps[n].insert(.init(score: bound, index: image))
    }

    /// The largest bounds of each neuron, largest first. // [N, at most C]
    public var bounds: Tensor {
        let count = heaps.first?.count ?? 0
        return Tensor(shape: [heaps.count, count], elements: heaps.flatMap { $0.sorted().map(\.score) })
    }

    /// τ_n − ‖φ̄_n − φ̃_n‖, a little less for rounding, and 0 where fewer than C images were seen. // [N]
    /// - Parameter shift: bounds above ‖φ̄_n − φ̃_n‖. // [N]
    public func floors(shift: [Float]) -> [Float] {
        heaps.indices.map { n in
            guard heaps[n].count == capacity, let smallest = heaps[n].smallestScore else { return 0 }
            return max((smallest - shift[n]) * 0.9999, 0)
        }
    }
}

extension SecondOrderLens {
    /// Bounds above ‖φ̄_n − φ̃_n‖, the distances of two sets of means. // [N]
    /// - Parameter factors: ``choleskyFactors(check:)``.
    public func distances(_ means: EffectMeans, _ others: EffectMeans, factors: Tensor) -> [Float] {
        let (K, packed) = (headCount, factors.rowWidth)
        let bias = zip(means.biasShare, others.biasShare).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            .squareRoot()
        var difference = [Float](repeating: 0, count: K)
        return factors.elements.withUnsafeBufferPointer { factors in
            (0..<neurons).map { n in
                for k in 0..<K {
                    difference[k] = means.coordinates.elements[n * K + k] - others.coordinates.elements[n * K + k]
                }
                var square = Float(0)
                if let base = factors.baseAddress {
                    PackedTriangle.squares(base + n * packed, count: K, difference, rows: 1, into: &square)
                }
                return square.squareRoot() + bias
            }
        }
    }
}
