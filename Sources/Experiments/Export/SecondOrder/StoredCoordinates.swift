import CLIPModel
import DenseMath
import Lens

/// What of equation (3) depends on the image, for some neurons of one layer and every picture, in a file.
struct StoredCoordinates: Sendable {
    let lens: SecondOrderLens
    let neurons: [Int]
    /// s_{n,k}. // [images, neurons · K]
    let coordinates: StoredRows
    /// b. // [images, d]
    let biasShares: StoredRows

    var images: Int { coordinates.count }

    /// Runs the image tower on every picture and fills the coordinates of several layers.
    /// - Parameter representations: gets c·r, if anybody wants it. // [images, d]
    /// - Throws: ``ExperimentError/notFinite(image:place:)``, `OutputError`, `PipelineError.interrupted`.
    static func fill(
        _ stored: [StoredCoordinates], representations: StoredRows? = nil, _ clip: CLIP, _ pictures: PreparedPictures,
        _ work: ExportWork
    ) throws {
        let (vision, capacity) = (clip.vision, clip.configuration.vision.batch)
        try work.forEachBatch(of: pictures, capacity: capacity, stage: "images") {
            let workspace = EffectWorkspace(vision, layers: stored.map(\.lens.layer), capacity: capacity)
            let all = FloatBuffer(stored.map { $0.lens.neurons * $0.lens.headCount }.max().map { $0 * capacity } ?? 0)
            let chosen = FloatBuffer(stored.map(\.coordinates.width).max().map { $0 * capacity } ?? 0)
            let biasShares = FloatBuffer(capacity * vision.embeddingWidth)
            return { range, pixels in
                let pass = workspace.run(pixels, batch: range.count)
                try pictures.checkFinite(
                    pass.representations, width: vision.embeddingWidth, of: range, place: "embedding")
                try representations?.write(pass.representations, rows: range)
                for layer in stored {
                    pass.coordinates(layer.lens, into: all.base)
                    layer.gather(all.base, batch: range.count, into: chosen.base)
                    try layer.coordinates.write(chosen.base, rows: range)
                    pass.biasShares(layer.lens, into: biasShares.base)
                    try layer.biasShares.write(biasShares.base, rows: range)
                }
            }
        }
    }

    /// // [N, batch, K] → [batch, neurons, K]
    private func gather(_ all: UnsafePointer<Float>, batch: Int, into chosen: UnsafeMutablePointer<Float>) {
        let K = lens.headCount
        for image in 0..<batch {
            for (place, n) in neurons.enumerated() {
                (chosen + (image * neurons.count + place) * K).update(from: all + (n * batch + image) * K, count: K)
            }
        }
    }

    /// b̄. // [d]
    /// - Throws: `OutputError`.
    func meanBiasShare() throws -> [Float] {
        var row = [Float](repeating: 0, count: biasShares.width)
        var sums = [Double](repeating: 0, count: row.count)
        for image in 0..<images {
            try biasShares.read(&row, row: image, columns: 0..<row.count)
            for j in row.indices { sums[j] += Double(row[j]) }
        }
        return sums.map { Float($0 / Double(images)) }
    }
}

extension SecondOrderLens {
    /// M_n of any neurons, in their order. // [neurons, K, d]
    func headDirections(of neurons: ArraySlice<Int>) -> Tensor {
        var elements: [Float] = []
        elements.reserveCapacity(neurons.count * headCount * embeddingWidth)
        var start = neurons.startIndex
        while start < neurons.endIndex {
            var end = start + 1
            // Neighbours share a product.
            while end < neurons.endIndex, neurons[end] == neurons[end - 1] + 1 { end += 1 }
            elements += headDirections(neurons[start]..<neurons[start] + end - start).elements
            start = end
        }
        return Tensor(shape: [neurons.count, headCount, embeddingWidth], elements: elements)
    }
}
