import CLIPModel
import DenseMath

/// One image's forward pass with everything that gradients and relevance need, and the heat maps made of it. Holds until its
/// workspace runs again.
///
/// Gradients and relevances are computed when a map first needs them, once for an image and class.
public final class AttributionPass {
    let record: ForwardRecord
    private let workspace: AttributionWorkspace
    private var gradientClass, relevanceClass: Int?

    fileprivate init(_ record: ForwardRecord, _ workspace: AttributionWorkspace) {
        (self.record, self.workspace) = (record, workspace)
    }

    public var vision: VisionTransformer { workspace.vision }

    /// r(I), not normalised. // [d]
    public var representation: UnsafePointer<Float> { record.pass.embeddings }

    /// scale · ⟨r/‖r‖, classifier_c⟩ // [classes]
    public var logits: [Float] { workspace.scores.elements }

    /// p, the MLP's activations after the non-linearity. // [T, N]
    public func activations(_ layer: Int) -> UnsafePointer<Float> { record.layers[layer][.activations] }

    /// - Precondition: the method is one of ``AttributionWorkspace/methods``, and neurons are given where it takes them.
    public func map(_ method: AttributionMethod, for query: MapQuery) -> HeatMap {
        precondition(workspace.methods.contains(method), "a map of \(method.name) was asked for but not declared")
        return method.map(self, query)
    }

    /// The map by a method that takes no neurons.
    public func map(_ method: AttributionMethod, class label: Int) -> HeatMap {
        map(method, for: MapQuery(label: label))
    }

    // MARK: For the methods

    var flow: AttentionFlow { workspace.flow }

    func gradients(of label: Int) -> AttentionGradients {
        if gradientClass != label {
            workspace.gradients.run(record, weights: weights(of: label), scale: workspace.logitScale)
            gradientClass = label
        }
        return workspace.gradients
    }

    func relevance(of label: Int) -> AttentionRelevance {
        if relevanceClass != label {
            workspace.relevance.run(record, weights: weights(of: label))
            relevanceClass = label
        }
        return workspace.relevance
    }

    /// The class's row of the classifier. // [d]
    func weights(of label: Int) -> [Float] {
        precondition((0..<workspace.classes).contains(label), "class \(label) of \(workspace.classes)")
        return Array(workspace.classifier[row: label])
    }

    /// The class's weights minus the mean over all classes. // [d]
    func contrast(of label: Int) -> [Float] { zip(weights(of: label), workspace.classMean).map { $0 - $1 } }

    /// Scratch memory of a method's own, made when a map is first asked of it.
    func memory<Memory: AnyObject>(_ make: (VisionTransformer) -> Memory) -> Memory { workspace.memory(make) }

    /// The patches' scores among those of all tokens.
    func patchMap(_ tokens: UnsafePointer<Float>) -> HeatMap {
        HeatMap(side: vision.layout.side, values: vision.layout.patchRows.map { tokens[$0] })
    }
}

/// Runs the image tower on one image after the other, and holds what their maps are made of. Belongs to one worker; its
/// memory is allocated once.
///
/// ```swift
/// let workspace = AttributionWorkspace(
///     model.vision, classifier: classifier.weights, logitScale: exp(model.logitScale))
/// let map = workspace.run(image).map(.chefer2021, class: 7).resized(to: 224).normalised()
/// ```
///
/// Both relevance rules go through the layers together, which shares a third of the work: methods that will not be asked for
/// are better left out of `methods`.
public final class AttributionWorkspace {
    public let vision: VisionTransformer
    /// The methods that maps can be asked of.
    public let methods: Set<AttributionMethod>
    fileprivate let flow: AttentionFlow
    fileprivate let scores: FloatBuffer
    fileprivate let classMean: [Float]
    fileprivate let classifier: Tensor
    fileprivate var classes: Int { classifier.shape[0] }
    fileprivate let logitScale: Float
    fileprivate let gradients: AttentionGradients
    fileprivate let relevance: AttentionRelevance
    private let tower: VisionWorkspace
    private var memories: [ObjectIdentifier: AnyObject] = [:]

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
        tower = ForwardRecord.workspace(vision)
        flow = AttentionFlow(vision)
        func lowestLayer(_ need: KeyPath<AttributionMethod.Needs, AttributionMethod.Depth?>) -> Int? {
            methods.compactMap { $0.needs[keyPath: need] }.max()?.lowestLayer(of: vision.blocks.count)
        }
        gradients = AttentionGradients(vision, lowestLayer: lowestLayer(\.gradients) ?? vision.blocks.count - 1)
        let streams = [
            lowestLayer(\.relevance).map { RelevanceStream(rule: .original, lowestLayer: $0) },
            lowestLayer(\.modifiedRelevance).map { RelevanceStream(rule: .modified, lowestLayer: $0) },
        ].compactMap { $0 }
        relevance = AttentionRelevance(vision, streams: streams)
    }

    /// Runs the tower on one image of the model's size, 8-bit RGB. // [size, size, 3]
    public func run(_ image: UnsafePointer<UInt8>) -> AttributionPass {
        let (record, d) = (ForwardRecord(vision, image, tower), vision.embeddingWidth)
        BLAS.multiply(
            classes, d, alpha: logitScale, classifier.elements, stride: d, vector: record.direction, into: scores.base)
        return AttributionPass(record, self)
    }

    fileprivate func memory<Memory: AnyObject>(_ make: (VisionTransformer) -> Memory) -> Memory {
        if let memory = memories[ObjectIdentifier(Memory.self)] as? Memory { return memory }
        let memory = make(vision)
        memories[ObjectIdentifier(Memory.self)] = memory
        return memory
    }
}

/// The forward pass of one image, with the operands of every product, sum and non-linearity, from which gradients and
/// relevance are propagated backwards. Holds until its workspace runs again.
///
/// Memory: about L·(T·(12 D + 2 N) + H·T²) numbers of four bytes.
struct ForwardRecord {
    let vision: VisionTransformer
    let pass: VisionPass
    let layers: [LayerCapture]
    /// r(I)/‖r(I)‖; zeros where r is zero. // [d]
    let direction: [Float]
    /// ‖r(I)‖
    let length: Float

    /// What holds one image's record.
    static func workspace(_ vision: VisionTransformer) -> VisionWorkspace {
        let request = CaptureRequest(LayerTap.allCases).subtracting([.classAttention, .mlpOutput])
        return VisionWorkspace(
            vision, capacity: 1, capturing: [CaptureRequest](repeating: request, count: vision.blocks.count))
    }

    /// - Parameters:
    ///   - image: 8-bit RGB of the model's size. // [size, size, 3]
    ///   - workspace: ``workspace(_:)`` of the same tower.
    init(_ vision: VisionTransformer, _ image: UnsafePointer<UInt8>, _ workspace: VisionWorkspace) {
        let pass = vision(image, batch: 1, workspace)
        let r = UnsafeBufferPointer(start: pass.embeddings, count: vision.embeddingWidth)
        let length = BLAS.dot(pass.embeddings, pass.embeddings, count: r.count).squareRoot()
        let inverse = length > 0 ? 1 / length : 0
        (self.vision, self.pass, self.length) = (vision, pass, length)
        layers = vision.blocks.indices.map(pass.capture)
        direction = r.map { $0 * inverse }
    }
}

extension LayerCapture {
    /// The class token's attention in one head. // [T]
    func classAttention(_ head: Int, _ layout: TokenLayout) -> UnsafePointer<Float> {
        self[.attention] + (head * layout.count + layout.classToken) * layout.count
    }
}
