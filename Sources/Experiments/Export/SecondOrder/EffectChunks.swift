import DenseMath
import Lens

/// From stored coordinates to effects, a chunk of neurons after the other: the image-independent half of a
/// chunk is made once, then the pictures pass by in the file.
struct EffectChunks: Sendable {
    let stored: StoredCoordinates
    let tensors: EffectTensors
    /// Ids of the pictures, for messages.
    let pictures: PreparedPictures

    /// Images whose effects are evaluated together.
    private static let block = 32

    /// Neurons of a chunk: their M takes at most 16 MiB.
    private var chunk: Int { max(1, min(64, (16 << 20) / (stored.lens.headCount * stored.lens.embeddingWidth * 4))) }

    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `LensError.factorisation`, `OutputError`,
    ///   `.interrupted`.
    func fill(_ work: ExportWork) throws {
        let neurons = stored.neurons.count
        let meanBias = tensors.fit == nil ? nil : try stored.meanBiasShare()
        try work.forEach((neurons + chunk - 1) / chunk, stage: "chunks of neurons of layer \(stored.lens.layer)") {
            { piece in
                try work.cancellation.check()
                let range = piece * chunk..<min((piece + 1) * chunk, neurons)
                let M = stored.lens.headDirections(of: stored.neurons[range])
                try tensors.headDirections?.write(M.elements, rows: range)
                if let effects = tensors.effects { try fillEffects(range, M, effects, work) }
                if let fit = tensors.fit, let meanBias { try fill(fit, range, M, meanBias, work) }
            }
        }
    }

    // MARK: Effects

    private func fillEffects(_ range: Range<Int>, _ M: Tensor, _ effects: StoredRows, _ work: ExportWork) throws {
        let block = EffectBlock(M, capacity: Self.block)
        let d = stored.lens.embeddingWidth
        try forEachBlock(range, block, work) { images in
            block.multiply(images.count)
            for (place, image) in images.enumerated() {
                try effects.write(
                    block.effects.base + place * range.count * d, row: image,
                    columns: range.lowerBound * d..<range.upperBound * d)
            }
        }
    }

    /// Reads s and b of a chunk's neurons into `block`, a run of images after the other.
    private func forEachBlock(
        _ range: Range<Int>, _ block: EffectBlock, _ work: ExportWork, _ body: (Range<Int>) throws -> Void
    ) throws {
        let (K, d) = (stored.lens.headCount, stored.lens.embeddingWidth)
        for start in stride(from: 0, to: stored.images, by: Self.block) {
            try work.cancellation.check()
            let images = start..<min(start + Self.block, stored.images)
            for (place, image) in images.enumerated() {
                try stored.coordinates.read(
                    block.coordinates.base + place * range.count * K, row: image,
                    columns: range.lowerBound * K..<range.upperBound * K)
                try stored.biasShares.read(block.biasShares.base + place * d, row: image, columns: 0..<d)
            }
            try body(images)
        }
    }

    // MARK: Fit

    private func fill(
        _ fit: EffectTensors.Fit, _ range: Range<Int>, _ M: Tensor, _ meanBias: [Float], _ work: ExportWork
    ) throws {
        let (J, K, d) = (range.count, stored.lens.headCount, stored.lens.embeddingWidth)
        let block = EffectBlock(M, capacity: Self.block)
        let means = try meanCoordinates(range, block, work)
        if let target = fit.means {
            block.coordinates.base.update(from: means, count: J * K)
            block.biasShares.base.update(from: meanBias, count: d)
            block.multiply(1)
            try target.write(block.effects.base, rows: range)
        }

        var largest = [BoundedHeap](repeating: BoundedHeap(capacity: fit.significantImages), count: J)
        var norms = [Float](repeating: 0, count: J)
        try forEachBlock(range, block, work) { images in
            RowKernels.subtract(row: means, from: block.coordinates.base, rows: images.count, columns: J * K)
            RowKernels.subtract(row: meanBias, from: block.biasShares.base, rows: images.count, columns: d)
            block.multiply(images.count)
            for (place, image) in images.enumerated() {
                for n in 0..<J {
                    let effect = block.effects.base + (place * J + n) * d
                    norms[n] = BLAS.dot(effect, effect, count: d).squareRoot()
                    guard norms[n].isFinite else {
                        throw ExperimentError.notFinite(
                            image: pictures.pictures[image].id,
                            place: "second-order effect of neuron \(stored.neurons[range.lowerBound + n])")
                    }
                    _ = largest[n].insert(.init(score: norms[n], index: Int32(image)))
                }
                try fit.norms?.write(norms, row: image, columns: range)
            }
        }
        let fitter = DirectionFitter(stored: stored, meanBias: meanBias, count: fit.significantImages)
        for n in 0..<J {
            try work.cancellation.check()
            let direction = try fitter.fit(
                place: range.lowerBound + n, images: largest[n].sorted().map { Int($0.index) },
                means: means[n * K..<(n + 1) * K], M: M.elements[n * K * d..<(n + 1) * K * d])
            let row = range.lowerBound + n..<range.lowerBound + n + 1
            try fit.principalDirections.write(direction.vector, rows: row)
            try fit.secondMomentShares?.write([direction.share], rows: row)
            try fit.thresholds?.write([largest[n].smallestScore ?? 0], rows: row)
        }
    }

    /// s̄ of a chunk's neurons, summed in double precision. // [chunk · K]
    private func meanCoordinates(_ range: Range<Int>, _ block: EffectBlock, _ work: ExportWork) throws -> [Float] {
        let width = range.count * stored.lens.headCount
        var sums = [Double](repeating: 0, count: width)
        try forEachBlock(range, block, work) { images in
            for place in 0..<images.count {
                let row = block.coordinates.base + place * width
                for i in 0..<width { sums[i] += Double(row[i]) }
            }
        }
        return sums.map { Float($0 / Double(stored.images)) }
    }
}
