import DenseMath

/// S_n: for every neuron of a layer, the images with the largest centred norms and their coordinates.
public struct LargestEffects: Sendable, Equatable {
    /// Largest first; ties in the order of the images. // [N, C]
    public let norms: Tensor
    /// Index of the image in the fit set. // [N, C]
    public let images: [Int32]
    /// δs of that image and neuron. // [N, C, K]
    public let coordinates: Tensor

    public var neurons: Int { norms.shape[0] }
    /// C, the number of images kept for each neuron.
    public var count: Int { norms.shape[1] }

    public init(norms: Tensor, images: [Int32], coordinates: Tensor) {
        precondition(norms.shape.count == 2 && images.count == norms.elements.count)
        precondition(coordinates.shape.prefix(2) == norms.shape[...])
        self.norms = norms
        self.images = images
        self.coordinates = coordinates
    }

    /// t_n: the smallest of the kept norms, above which the neuron is significant for an image. // [N]
    public var thresholds: [Float] { (0..<neurons).map { norms.elements[($0 + 1) * count - 1] } }

    /// The largest of two disjoint sets of images.
    public func merged(with other: LargestEffects, keeping capacity: Int) -> LargestEffects {
        let accumulator = LargestEffectsAccumulator(neurons: neurons, headCount: coordinates.shape[2], capacity: capacity)
        for part in [self, other] {
            part.coordinates.elements.withUnsafeBufferPointer { coordinates in
                guard let base = coordinates.baseAddress else { return }
                for n in 0..<neurons {
                    for c in 0..<part.count {
                        let entry = n * part.count + c
                        accumulator.insert(
                            neuron: n, norm: part.norms.elements[entry], image: part.images[entry],
                            coordinates: base + entry * coordinates.count / part.norms.elements.count)
                    }
                }
            }
        }
        return accumulator.result()
    }
}

/// Keeps the `capacity` largest effects of every neuron while images pass. Belongs to one worker.
public final class LargestEffectsAccumulator {
    private let capacity: Int
    private let headCount: Int
    private var heaps: [BoundedHeap]
    /// Which slot of `coordinates` holds the coordinates of an image, by neuron.
    private var slots: [[Int32: Int]]
    private let coordinates: FloatBuffer

    public init(neurons: Int, headCount: Int, capacity: Int) {
        self.capacity = capacity
        self.headCount = headCount
        heaps = [BoundedHeap](repeating: BoundedHeap(capacity: capacity), count: neurons)
        slots = [[Int32: Int]](repeating: [:], count: neurons)
        coordinates = FloatBuffer(neurons * capacity * headCount)
    }

    /// - Parameter coordinates: δs; copied if kept. // [K]
    public func insert(neuron: Int, norm: Float, image: Int32, coordinates source: UnsafePointer<Float>) {
        if let smallest = heaps[neuron].smallestScore, heaps[neuron].count == capacity, norm < smallest { return }
        let slot: Int
        switch heaps[neuron].insert(.init(score: norm, index: image)) {
        case .rejected: return
        case .added: slot = heaps[neuron].count - 1
        case .replaced(let gone): slot = slots[neuron].removeValue(forKey: gone.index) ?? 0
        }
        slots[neuron][image] = slot
        (coordinates.base + (neuron * capacity + slot) * headCount).update(from: source, count: headCount)
    }

    /// Adds a batch whose first image has the given index in the fit set.
    public func insert(_ effects: CentredEffects, batch: Int, firstImage: Int) {
        for n in 0..<heaps.count {
            for image in 0..<batch {
                insert(
                    neuron: n, norm: effects.norms.base[n * batch + image], image: Int32(firstImage + image),
                    coordinates: effects.coordinates.base + (n * batch + image) * headCount)
            }
        }
    }

    /// What was kept, largest first.
    public func result() -> LargestEffects {
        let count = heaps.first?.count ?? 0
        var norms = Tensor(zeros: [heaps.count, count])
        var images = [Int32](repeating: 0, count: heaps.count * count)
        var kept = Tensor(zeros: [heaps.count, count, headCount])
        for n in 0..<heaps.count {
            for (c, entry) in heaps[n].sorted().enumerated() {
                norms.elements[n * count + c] = entry.score
                images[n * count + c] = entry.index
                guard let slot = slots[n][entry.index] else { continue }
                let source = coordinates.base + (n * capacity + slot) * headCount
                for k in 0..<headCount { kept.elements[(n * count + c) * headCount + k] = source[k] }
            }
        }
        return LargestEffects(norms: norms, images: images, coordinates: kept)
    }
}
