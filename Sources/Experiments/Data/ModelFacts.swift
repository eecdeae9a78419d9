/// What a spec has to know of a model before it can ask something of it.
struct ModelFacts: Sendable {
    /// Layers with a later attention layer, whose neurons have second-order effects.
    var layers: Range<Int>
    /// Neurons of a layer.
    var neurons: Int
    /// Blocks of the image tower.
    var blocks = 0
    /// Height and width of its input, in pixels.
    var imageSize = 0
    /// Height and width of a patch.
    var patchSize = 1
    /// The name of the published model whose weights these are, by their digest.
    var published: String?
}

extension ModelFacts {
    init(_ model: StudyModel) {
        let vision = model.configuration.vision
        self.init(
            layers: model.layersWithLaterAttention, neurons: vision.mlpWidth, blocks: vision.layers,
            imageSize: vision.imageSize, patchSize: vision.patchSize, published: model.published)
    }
}
