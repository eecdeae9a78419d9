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

    /// The largest of several disjoint runs of images, all of which kept what reaches the same floors.
    /// - Returns: nil where a neuron has fewer than `count` of them.
    public init?(_ parts: [CandidateEffects], count: Int) {
        guard let first = parts.first else { return nil }
        let (neurons, K) = (first.neurons, first.coordinates.rowWidth)
        var norms = Tensor(zeros: [neurons, count])
        var images = [Int32](repeating: 0, count: neurons * count)
        var coordinates = Tensor(zeros: [neurons, count, K])
        for n in 0..<neurons {
            var candidates: [(norm: Float, image: Int32, part: Int, entry: Int)] = []
            for (index, part) in parts.enumerated() {
                for entry in part.entries(of: n) {
                    candidates.append((part.norms[entry], part.images[entry], index, entry))
                }
            }
            guard candidates.count >= count else { return nil }
            candidates.sort { $0.norm != $1.norm ? $0.norm > $1.norm : $0.image < $1.image }
            for (c, kept) in candidates.prefix(count).enumerated() {
                norms.elements[n * count + c] = kept.norm
                images[n * count + c] = kept.image
                let (target, source) = ((n * count + c) * K, kept.entry * K)
                for k in 0..<K { coordinates.elements[target + k] = parts[kept.part].coordinates.elements[source + k] }
            }
        }
        self.init(norms: norms, images: images, coordinates: coordinates)
    }
}

extension LargestEffects {
    /// How far each of the effects goes along its neuron's direction, ⟨δφ_n, r_n⟩ with δφ_n = Σ_k δs_{n,k} M_{n,k} + δb.
    /// // [N, C]
    /// - Parameters:
    ///   - directions: r_n. // [N, d]
    ///   - biasShares: δb of the images of the fit set. // [images, d]
    public func projections(_ lens: SecondOrderLens, onto directions: Tensor, biasShares: Tensor) -> Tensor {
        let (N, C, K, d) = (lens.neurons, count, lens.headCount, lens.embeddingWidth)
        precondition(neurons == N && directions.shape == [N, d], "effects and directions of the layer's neurons")
        var result = Tensor(zeros: [N, C])
        // ⟨M_{n,k}, r_n⟩ // [K]
        var readings = [Float](repeating: 0, count: K)
        let chunk = lens.directionsTogether
        for start in stride(from: 0, to: N, by: chunk) {
            let range = start..<min(start + chunk, N)
            let M = lens.headDirections(range)
            for n in range {
                let r = Array(directions[row: n])
                M.elements.withUnsafeBufferPointer { M in
                    guard let M = M.baseAddress else { return }
                    BLAS.multiply(K, d, M + (n - start) * K * d, stride: d, vector: r, into: &readings)
                }
                for c in 0..<C {
                    let (s, image) = ((n * C + c) * K, Int(images[n * C + c]))
                    var sum: Float = 0
                    for k in 0..<K { sum += coordinates.elements[s + k] * readings[k] }
                    for j in 0..<d { sum += biasShares.elements[image * d + j] * r[j] }
                    result.elements[n * C + c] = sum
                }
            }
        }
        return result
    }
}

/// What a set Q of neurons, another for each image of a batch, brings to the heads, from where it is carried to
///
///     Σ_{n∈Q} (φ_n − φ̄_n) = Σ_k output_kᵀ input_k Σ_{n∈Q} δs_{n,k} w^n + |Q| δb
///
/// Belongs to one worker.
struct ChosenEffects {
    private let lens: SecondOrderLens
    private let scratch: EffectScratch

    init(_ lens: SecondOrderLens, scratch: EffectScratch) {
        self.lens = lens
        self.scratch = scratch
    }

    /// Σ_{n∈Q} δs_{n,k} w^n for a batch. // [K, rows, D]
    /// - Parameters:
    ///   - sets: neurons, by image.
    ///   - rows: of which the first are the batch's.
    func mix(_ sets: [[Int]], _ effects: CentredBatch, into mixed: UnsafeMutablePointer<Float>, rows: Int) {
        let (K, D) = (lens.headCount, lens.width)
        for (image, neurons) in sets.enumerated() {
            let target = mixed + image * D
            if neurons.isEmpty {
                for k in 0..<K { (target + k * rows * D).update(repeating: 0, count: D) }
            }
            for start in stride(from: 0, to: neurons.count, by: EffectScratch.chunk) {
                mix(
                    neurons[start..<min(start + EffectScratch.chunk, neurons.count)], effects, image,
                    adding: start > 0, into: target, stride: rows * D)
            }
        }
    }

    private func mix(
        _ neurons: ArraySlice<Int>, _ effects: CentredBatch, _ image: Int, adding: Bool,
        into mixed: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let (K, D) = (lens.headCount, lens.width)
        // The neurons' δs and w^n, one below the other. // [chunk, K], [chunk, D]
        let (coordinates, outputs) = (scratch.chosenCoordinates, scratch.chosenQueries)
        lens.neuronOutputs.elements.withUnsafeBufferPointer { all in
            guard let all = all.baseAddress else { return }
            for (row, n) in neurons.enumerated() {
                (coordinates.base + row * K).update(
                    from: effects.coordinates + (n * effects.batch + image) * K, count: K)
                (outputs.base + row * D).update(from: all + n * D, count: D)
            }
        }
        BLAS.multiply(
            K, D, neurons.count, coordinates.base, stride: K, transposed: true, outputs.base, stride: D,
            beta: adding ? 1 : 0,
            into: mixed, stride: stride)
    }
}

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

    /// Adds the effects of a batch whose norms reach their floors.
    /// - Parameter firstImage: index of the batch's first image in the fit set.
    public func insert(_ effects: CentredBatch, floors: [Float], firstImage: Int) {
        let (batch, norms, coordinates) = (effects.batch, effects.norms(above: floors), effects.coordinates)
        for n in 0..<neurons {
            for image in 0..<batch {
                let norm = norms[n * batch + image]
                guard norm >= floors[n] else { continue }
                entries.append((Int32(n), Int32(firstImage + image), norm))
                let row = coordinates + (n * batch + image) * headCount
                self.coordinates.append(contentsOf: UnsafeBufferPointer(start: row, count: headCount))
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
