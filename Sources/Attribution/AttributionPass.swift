import CLIPModel
import DenseMath

/// One image's forward pass with everything that gradients and relevance need, and the heat maps made of
/// it. Belongs to one worker; its memory is allocated once and serves one image after the other.
///
/// ```swift
/// let pass = AttributionPass(model.vision, classifier: classifier.weights, logitScale: exp(model.logitScale))
/// pass.run(image)
/// let map = pass.map(.chefer2021, class: 7).resized(to: 224).normalised()
/// ```
///
/// Gradients and relevances are computed when a map first needs them, once for an image and class. Both
/// relevance rules go through the layers together, which shares a third of the work: methods that will
/// not be asked for are better left out of `methods`.
public final class AttributionPass {
    public let vision: VisionTransformer
    /// The methods that maps can be asked of.
    public let methods: Set<AttributionMethod>
    let record: ForwardRecord
    let flow: AttentionFlow
    /// Scratch of first-order directions in the residual stream and through W_O. // [D]
    let direction, headDirections: FloatBuffer
    private let classifier: Tensor
    private let logitScale: Float
    private let classMean: [Float]
    private let scores, weights, contrast: FloatBuffer
    private let gradientMemory: AttentionGradients
    private let relevanceMemory: AttentionRelevance
    private var memories: [ObjectIdentifier: AnyObject] = [:]
    private var gradientClass: Int?
    private var relevanceClass: Int?

    /// - Parameters:
    ///   - classifier: unit rows. // [classes, d]
    ///   - logitScale: the factor between cosines and logits (not its logarithm).
    ///   - methods: what will be asked for.
    /// - Precondition: the classifier has classes, as wide as the model's joint space.
    public init(
        _ vision: VisionTransformer, classifier: Tensor, logitScale: Float,
        methods: Set<AttributionMethod> = Set(AttributionMethod.all)
    ) {
        precondition(
            classifier.shape.count == 2 && classifier.shape[0] > 0 && classifier.shape[1] == vision.embeddingWidth,
            "a classifier of shape \(classifier.shape) for a joint space of \(vision.embeddingWidth)")
        self.vision = vision
        self.classifier = classifier
        self.logitScale = logitScale
        self.methods = methods
        let (classes, d) = (classifier.shape[0], classifier.shape[1])
        var mean = [Float](repeating: 0, count: d)
        for row in 0..<classes {
            for j in 0..<d { mean[j] += classifier.elements[row * d + j] / Float(classes) }
        }
        classMean = mean
        scores = FloatBuffer(classes)
        (weights, contrast) = (FloatBuffer(d), FloatBuffer(d))
        (direction, headDirections) = (FloatBuffer(vision.width), FloatBuffer(vision.width))
        record = ForwardRecord(vision)
        flow = AttentionFlow(vision)
        func lowestLayer(_ need: KeyPath<AttributionMethod.Needs, AttributionMethod.Depth?>) -> Int? {
            methods.compactMap { $0.needs[keyPath: need] }.max()?.lowestLayer(of: vision.blocks.count)
        }
        gradientMemory = AttentionGradients(record, lowestLayer: lowestLayer(\.gradients) ?? vision.blocks.count - 1)
        let streams = [
            lowestLayer(\.relevance).map { RelevanceStream(rule: .original, lowestLayer: $0) },
            lowestLayer(\.modifiedRelevance).map { RelevanceStream(rule: .modified, lowestLayer: $0) },
        ].compactMap { $0 }
        relevanceMemory = AttentionRelevance(record, streams: streams)
    }

    /// Runs the tower on one image of the model's size, 8-bit RGB. // [size, size, 3]
    public func run(_ image: UnsafePointer<UInt8>) {
        record.run(image)
        let (classes, d) = (classifier.shape[0], classifier.shape[1])
        BLAS.multiply(
            classes, d, alpha: logitScale, classifier.elements, stride: d, vector: record.direction.base,
            into: scores.base)
        gradientClass = nil
        relevanceClass = nil
    }

    /// r(I), not normalised. // [d]
    public var representation: UnsafePointer<Float> { record.representation }

    /// scale · ⟨r/‖r‖, classifier_c⟩ // [classes]
    public var logits: [Float] { scores.elements }

    /// p, the MLP's activations after the non-linearity. // [T, N]
    public func activations(_ layer: Int) -> UnsafePointer<Float> {
        record.layers[layer][.activations]
    }

    /// The map of the image that ran last.
    /// - Precondition: the method is one of ``methods``, and neurons are given where it takes them.
    public func map(_ method: AttributionMethod, for query: MapQuery) -> HeatMap {
        precondition(methods.contains(method), "a map of \(method.name) was asked for but not declared")
        return method.map(self, query)
    }

    /// The map of the image that ran last, by a method that takes no neurons.
    public func map(_ method: AttributionMethod, class label: Int) -> HeatMap {
        map(method, for: MapQuery(label: label))
    }

    // MARK: Once for an image and class

    func gradients(of label: Int) -> AttentionGradients {
        if gradientClass != label {
            loadWeights(of: label)
            gradientMemory.run(weights: weights.base, scale: logitScale)
            gradientClass = label
        }
        return gradientMemory
    }

    func relevance(of label: Int) -> AttentionRelevance {
        if relevanceClass != label {
            loadWeights(of: label)
            relevanceMemory.run(weights: weights.base)
            relevanceClass = label
        }
        return relevanceMemory
    }

    /// The class's weights minus the mean over all classes. // [d]
    func contrast(of label: Int) -> UnsafePointer<Float> {
        loadWeights(of: label)
        for j in 0..<contrast.count { contrast.base[j] = weights.base[j] - classMean[j] }
        return UnsafePointer(contrast.base)
    }

    /// The class's row of the classifier. // [d]
    func weights(of label: Int) -> UnsafePointer<Float> {
        loadWeights(of: label)
        return UnsafePointer(weights.base)
    }

    private func loadWeights(of label: Int) {
        precondition((0..<classifier.shape[0]).contains(label), "class \(label) of \(classifier.shape[0])")
        for (j, value) in classifier[row: label].enumerated() { weights.base[j] = value }
    }

    // MARK: For the methods

    /// Scratch memory of a method's own, made when a map is first asked of it.
    func memory<Memory: AnyObject>(_ make: (ForwardRecord) -> Memory) -> Memory {
        if let memory = memories[ObjectIdentifier(Memory.self)] as? Memory { return memory }
        let memory = make(record)
        memories[ObjectIdentifier(Memory.self)] = memory
        return memory
    }

    /// The patches' scores among those of all tokens.
    func patchMap(_ tokens: UnsafePointer<Float>) -> HeatMap {
        HeatMap(side: vision.layout.side, values: vision.layout.patchRows.map { tokens[$0] })
    }
}
