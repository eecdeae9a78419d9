/// What a spec has to know of a model before it can ask something of it.
struct ModelFacts: Sendable {
    /// Layers with a later attention layer, whose neurons have second-order effects.
    var layers: Range<Int>
    /// Neurons of a layer.
    var neurons: Int
    /// The name of the published model whose weights these are, by their digest.
    var published: String?
}
