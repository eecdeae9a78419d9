extension AttributionMethod {
    /// Activations of the neurons whose second-order effects point to the class (arXiv 2406.04341, section 5.4).
    public static let secondOrder = AttributionMethod("second-order", title: "second order", query: .neurons) {
        guard let neurons = $1.neurons else {
            preconditionFailure("second-order maps are made of neurons, and none were given")
        }
        return $0.secondOrderMap(neurons: neurons)
    }
}

extension AttributionPass {
    /// The plain average of neurons' activations at the patches; zeros without neurons.
    ///
    /// Source: arXiv 2406.04341, section 5.4.
    public func secondOrderMap(neurons: [(layer: Int, neuron: Int)]) -> HeatMap {
        let (tokens, width) = (vision.tokens, vision.configuration.mlpWidth)
        flow.row.base.update(repeating: 0, count: tokens)
        for (layer, neuron) in neurons {
            precondition((0..<width).contains(neuron), "neuron \(neuron) of \(width)")
            let activations = record.layers[layer][.activations] + neuron
            for i in 0..<tokens { flow.row.base[i] += activations[i * width] }
        }
        for i in 0..<tokens { flow.row.base[i] /= Float(max(neurons.count, 1)) }
        return patchMap(flow.row.base)
    }
}
