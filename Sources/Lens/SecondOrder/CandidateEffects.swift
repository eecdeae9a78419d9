import DenseMath

/// The effects of a run of images whose norms reach their neuron's floor: the only ones that can be among
/// the neuron's largest, see ``NormFloors``.
public struct CandidateEffects: Sendable, Equatable {
    /// Where each neuron's entries begin, and the number of all. // [N + 1]
    public var offsets: [Int32]
    /// By neuron, then in the order of the images. // [entries]
    public var norms: [Float]
    /// Index of the image in the fit set. // [entries]
    public var images: [Int32]
    /// δs. // [entries, K]
    public var coordinates: Tensor

    public init(offsets: [Int32], norms: [Float], images: [Int32], coordinates: Tensor) {
        self.offsets = offsets
        self.norms = norms
        self.images = images
        self.coordinates = coordinates
    }

    public var neurons: Int { max(offsets.count - 1, 0) }

    func entries(of n: Int) -> Range<Int> { Int(offsets[n])..<Int(offsets[n + 1]) }
}

/// Collects ``CandidateEffects`` while images pass. Belongs to one worker.
public final class CandidateEffectsCollector {
    private let neurons: Int
    private let headCount: Int
    private var entries: [(neuron: Int32, image: Int32, norm: Float)] = []
    private var coordinates: [Float] = []

    public init(neurons: Int, headCount: Int) {
        self.neurons = neurons
        self.headCount = headCount
    }

    /// Adds the batch last given to `effects`, whose norms have been evaluated above the same floors.
    /// - Parameter firstImage: index of the batch's first image in the fit set.
    public func insert(_ effects: CentredEffects, floors: [Float], batch: Int, firstImage: Int) {
        for n in 0..<neurons {
            for image in 0..<batch {
                let norm = effects.norms.base[n * batch + image]
                guard norm >= floors[n] else { continue }
                entries.append((Int32(n), Int32(firstImage + image), norm))
                let row = effects.coordinates.base + (n * batch + image) * headCount
                coordinates.append(contentsOf: UnsafeBufferPointer(start: row, count: headCount))
            }
        }
    }

    public func result() -> CandidateEffects {
        // Entries came by image; a stable sort by counting puts them by neuron.
        var offsets = [Int32](repeating: 0, count: neurons + 1)
        for entry in entries { offsets[Int(entry.neuron) + 1] += 1 }
        for n in 0..<neurons { offsets[n + 1] += offsets[n] }
        var next = offsets.map(Int.init)
        var (norms, images) = ([Float](repeating: 0, count: entries.count), [Int32](repeating: 0, count: entries.count))
        var sorted = Tensor(zeros: [entries.count, headCount])
        for (index, entry) in entries.enumerated() {
            let place = next[Int(entry.neuron)]
            next[Int(entry.neuron)] += 1
            (norms[place], images[place]) = (entry.norm, entry.image)
            for k in 0..<headCount { sorted.elements[place * headCount + k] = coordinates[index * headCount + k] }
        }
        return CandidateEffects(offsets: offsets, norms: norms, images: images, coordinates: sorted)
    }
}
