import CLIPModel
import DenseMath
import Lens

/// The principal directions of all neurons of some layers, fitted to pictures, with the coordinates in a file.
enum MapDirections {
    /// - Throws: as `StoredCoordinates.fill` and `EffectChunks.fill`.
    static func fit(
        layers: [Int], _ clip: CLIP, _ pictures: PreparedPictures, _ work: ExportWork
    ) throws -> FittedDirections {
        let file = try work.scratch()
        var end = 0
        func rows(_ count: Int, _ width: Int) -> StoredRows {
            defer { end += count * width * 4 }
            return StoredRows(file: file, offset: end, count: count, width: width)
        }
        let paths = ValueOutputPaths(clip.vision)
        let stored = try layers.map { layer in
            let lens = try SecondOrderLens(layer: layer, paths: paths, vision: clip.vision)
            return StoredCoordinates(
                lens: lens, neurons: Array(0..<lens.neurons),
                coordinates: rows(pictures.count, lens.neurons * lens.headCount),
                biasShares: rows(pictures.count, lens.embeddingWidth))
        }
        let directions = stored.map { rows($0.lens.neurons, $0.lens.embeddingWidth) }
        try file.reserve(end)
        try StoredCoordinates.fill(stored, clip, pictures, work)

        var fitted = FittedDirections(layers: [:])
        for (stored, directions) in zip(stored, directions) {
            let fit = EffectTensors.Fit(
                principalDirections: directions,
                significantImages: min(SecondOrderExport.significantImages, pictures.count))
            try EffectChunks(stored: stored, tensors: EffectTensors(fit: fit), pictures: pictures).fill(work)
            var values = Tensor(zeros: [directions.count, directions.width])
            for n in 0..<directions.count {
                try values.elements.withUnsafeMutableBufferPointer { values in
                    guard let base = values.baseAddress else { return }
                    try directions.read(base + n * directions.width, row: n, columns: 0..<directions.width)
                }
            }
            fitted.layers[stored.lens.layer] = .init(
                directions: PrincipalDirections(directions: values), thresholds: [])
        }
        return fitted
    }
}
