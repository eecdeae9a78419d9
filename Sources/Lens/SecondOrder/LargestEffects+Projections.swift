import DenseMath

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
