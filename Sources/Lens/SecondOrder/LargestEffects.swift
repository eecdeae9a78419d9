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
