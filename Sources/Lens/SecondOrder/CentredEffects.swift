import DenseMath

/// Centres the head coordinates of one layer at the means of a fit set, batch by batch. Belongs to one worker.
public final class CentredEffects {
    public let lens: SecondOrderLens
    private let factors: Tensor
    private let means: EffectMeans
    let scratch: EffectScratch

    /// - Parameters:
    ///   - factors: ``SecondOrderLens/choleskyFactors(check:)``, shared by all workers. // [N, packed]
    ///   - scratch: the worker's own; layers that share it take turns.
    public init(_ lens: SecondOrderLens, factors: Tensor, means: EffectMeans, scratch: EffectScratch) {
        precondition(scratch.fits(lens), "the scratch memory is too small for layer \(lens.layer)")
        self.lens = lens
        self.factors = factors
        self.means = means
        self.scratch = scratch
    }

    /// With memory of their own, for effects that are read after those of other layers were made.
    public convenience init(_ lens: SecondOrderLens, factors: Tensor, means: EffectMeans, capacity: Int) {
        self.init(lens, factors: factors, means: means, scratch: EffectScratch([lens], capacity: capacity))
    }

    /// The centred effects of a batch.
    public func run(_ pass: EffectPass) -> CentredBatch { run(pass) { _, _ in } }

    /// The centred effects of a batch, which are also read while they are made.
    /// - Parameter read: called with some neurons at a time, whose coordinates are then in the cache, unless their factors
    ///   alone fill it, as those of a large model do. What stands of other neurons must not be read yet.
    func run(_ pass: EffectPass, _ read: (Range<Int>, CentredBatch) -> Void) -> CentredBatch {
        precondition(pass.batch <= scratch.capacity, "a batch of \(pass.batch) in memory for \(scratch.capacity)")
        scratch.layer = lens.layer
        let effects = CentredBatch(lens: lens, scratch: scratch, batch: pass.batch)
        let (batch, K, d) = (pass.batch, lens.headCount, lens.embeddingWidth)
        let (biasShares, biasNorms) = (scratch.biasShares.base, scratch.biasNorms.base)
        pass.biasShares(lens, into: scratch.rawBiasShares.base)
        biasShares.update(from: scratch.rawBiasShares.base, count: batch * d)
        RowKernels.subtract(row: means.biasShare, from: biasShares, rows: batch, columns: d)
        RowKernels.rowSquares(biasShares, rows: batch, columns: d, stride: d, into: biasNorms)
        for image in 0..<batch { biasNorms[image] = biasNorms[image].squareRoot() }
        let together = max(1, scratch.coordinatesTogether / max(1, batch * K))
        for start in stride(from: 0, to: lens.neurons, by: together) {
            let neurons = start..<min(start + together, lens.neurons)
            pass.coordinates(lens, of: neurons, into: scratch.coordinates.base)
            centre(neurons, batch: batch)
            read(neurons, effects)
        }
        return effects
    }

    /// δs and ‖R_n δs‖ of some neurons.
    private func centre(_ neurons: Range<Int>, batch: Int) {
        let (K, packed) = (lens.headCount, factors.rowWidth)
        means.coordinates.elements.withUnsafeBufferPointer { means in
            factors.elements.withUnsafeBufferPointer { factors in
                guard let means = means.baseAddress, let factors = factors.baseAddress else { return }
                for n in neurons {
                    let s = scratch.coordinates.base + n * batch * K
                    let norms = scratch.coordinateNorms.base + n * batch
                    RowKernels.subtract(row: means + n * K, from: s, rows: batch, columns: K)
                    PackedTriangle.squares(factors + n * packed, count: K, s, rows: batch, into: norms)
                    for image in 0..<batch { norms[image] = norms[image].squareRoot() }
                }
            }
        }
    }
}

/// The centred head coordinates of one layer for one batch, and the norms of the centred effects:
///
///     ‖φ_n − φ̄_n‖² = ‖R_n δs‖² + 2 ⟨Σ_k δs_k input_kᵀ output_k δb, w^n⟩ + ‖δb‖²
///
/// Holds until effects in the same memory are made of another batch or layer.
public struct CentredBatch {
    public let lens: SecondOrderLens
    let scratch: EffectScratch
    /// Images.
    public let batch: Int

    fileprivate init(lens: SecondOrderLens, scratch: EffectScratch, batch: Int) {
        (self.lens, self.scratch, self.batch) = (lens, scratch, batch)
    }

    /// δs. // [N, batch, K]
    public var coordinates: UnsafePointer<Float> { read(scratch.coordinates) }
    /// δb. // [batch, d]
    public var biasShares: UnsafePointer<Float> { read(scratch.biasShares) }
    /// b. // [batch, d]
    var rawBiasShares: UnsafePointer<Float> { read(scratch.rawBiasShares) }
    /// ‖R_n δs‖. // [N, batch]
    private var coordinateNorms: UnsafePointer<Float> { read(scratch.coordinateNorms) }
    /// ‖δb‖. // [batch]
    private var biasNorms: UnsafePointer<Float> { read(scratch.biasNorms) }

    private func read(_ buffer: FloatBuffer) -> UnsafePointer<Float> {
        precondition(scratch.layer == lens.layer, "the effects of layer \(lens.layer) were overwritten")
        return UnsafePointer(buffer.base)
    }

    /// ‖φ_n − φ̄_n‖. // [N, batch]
    /// - Parameter floors: norms that cannot reach their neuron's floor become 0 instead; nil for none. // [N]
    public func norms(above floors: [Float]? = nil) -> UnsafePointer<Float> {
        let (norms, coordinateNorms, biasNorms) = (scratch.norms.base, coordinateNorms, biasNorms)
        let chosen = (0..<batch).map { image in
            (0..<lens.neurons).filter { n in
                guard let floors, coordinateNorms[n * batch + image] + biasNorms[image] < floors[n] else {
                    return true
                }
                norms[n * batch + image] = 0
                return false
            }
        }
        return self.norms(of: chosen)
    }

    /// ‖φ_n − φ̄_n‖ of some neurons; those of others are not touched. // [N, batch]
    /// - Parameter neurons: whose, by image.
    func norms(of neurons: [[Int]]) -> UnsafePointer<Float> {
        let (K, D, d) = (lens.headCount, lens.width, lens.embeddingWidth)
        // What δb asks of the neurons takes as long as all else together, and few images have a norm that needs it.
        let images = neurons.indices.filter { !neurons[$0].isEmpty }
        guard !images.isEmpty else { return read(scratch.norms) }
        for (row, image) in images.enumerated() {
            (scratch.chosenBiasShares.base + row * d).update(from: biasShares + image * d, count: d)
        }
        lens.pullBack(
            scratch.chosenBiasShares.base, images: images.count, scratch: scratch.reads.base, into: scratch.mixed.base)
        for (row, image) in images.enumerated() {
            for start in stride(from: 0, to: neurons[image].count, by: EffectScratch.chunk) {
                let chunk = neurons[image][start..<min(start + EffectScratch.chunk, neurons[image].count)]
                evaluateNorms(of: chunk, image, asked: scratch.mixed.base + row * K * D)
            }
        }
        return read(scratch.norms)
    }

    /// - Parameter asked: input_kᵀ output_k δb of the image. // [K, D]
    private func evaluateNorms(of neurons: ArraySlice<Int>, _ image: Int, asked: UnsafePointer<Float>) {
        let (K, D) = (lens.headCount, lens.width)
        for (row, n) in neurons.enumerated() {
            (scratch.chosenCoordinates.base + row * K).update(from: coordinates + (n * batch + image) * K, count: K)
        }
        BLAS.multiply(
            neurons.count, D, K, scratch.chosenCoordinates.base, stride: K, asked, stride: D,
            into: scratch.chosenQueries.base, stride: D)
        lens.neuronOutputs.elements.withUnsafeBufferPointer { outputs in
            guard let outputs = outputs.baseAddress else { return }
            for (row, n) in neurons.enumerated() {
                scratch.norms.base[n * batch + image] = norm(
                    n, image, cross: BLAS.dot(scratch.chosenQueries.base + row * D, outputs + n * D, count: D))
            }
        }
    }

    /// A bound below ‖φ_n − φ̄_n‖ that needs no cross term (triangle inequality).
    public func lowerBound(of n: Int, image: Int) -> Float {
        max(coordinateNorms[n * batch + image] - biasNorms[image], 0)
    }

    /// Whether ‖φ_n − φ̄_n‖ is above a threshold; nil where only ``norms(of:)`` can tell.
    ///
    /// δb is small, so that nearly always ‖R_n δs‖ ± ‖δb‖ lie on one side of the threshold and decide
    /// (triangle inequality); only between them the cross term is needed.
    func isNorm(of n: Int, image: Int, above threshold: Float) -> Bool? {
        let (norm, bias) = (coordinateNorms[n * batch + image], biasNorms[image])
        if norm + bias <= threshold { return false }
        if norm - bias > threshold { return true }
        return nil
    }

    private func norm(_ n: Int, _ image: Int, cross: Float) -> Float {
        let (norm, bias) = (coordinateNorms[n * batch + image], biasNorms[image])
        // Rounding may leave a tiny negative number where the effect equals its mean.
        return max(norm * norm + 2 * cross + bias * bias, 0).squareRoot()
    }
}

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

    /// Adds a batch of effects that are centred at the provisional means.
    public func insert(_ effects: CentredBatch, firstImage: Int) {
        for n in heaps.indices {
            for image in 0..<effects.batch {
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
