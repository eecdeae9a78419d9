/// How a heat map is made: the rows of the segmentation table of arXiv 2406.04341, and those of later papers.
///
/// A method is a value in a file of its own and one entry in ``all``; tables, pictures, exports and the command line take it
/// from there.
public struct AttributionMethod: Sendable {
    /// In rows, files and on the command line.
    public let name: String
    /// In tables and pictures.
    public let title: String
    /// What the map is made for.
    public let query: Query
    /// What of the backward pass the map takes.
    let needs: Needs
    let map: @Sendable (AttributionPass, MapQuery) -> HeatMap
    /// Whether the map is of pixels, and not of patches.
    public var isOfPixels: Bool { needs.relevance == .pixels }

    /// What a map is made for.
    public enum Query: Sendable {
        /// Nothing: the map is the same for all classes.
        case nothing
        /// A class.
        case label
        /// Neurons that were chosen for a class.
        case neurons
    }

    /// The layers down to which gradients and relevances are propagated; nil for none.
    struct Needs: Sendable {
        var gradients: Depth?
        /// Of the original rules.
        var relevance: Depth?
        /// Of the modified rules.
        var modifiedRelevance: Depth?
    }

    /// How far down the tower.
    enum Depth: Int, Comparable, Sendable {
        /// The last layer only.
        case lastLayer
        /// All layers but the first, which Chefer's product leaves out.
        case secondLayer
        /// Down to the pixels.
        case pixels

        static func < (a: Depth, b: Depth) -> Bool { a.rawValue < b.rawValue }

        /// The lowest of so many layers, or ``RelevanceStream/pixels``.
        func lowestLayer(of layers: Int) -> Int {
            switch self {
            case .lastLayer: layers - 1
            case .secondLayer: min(1, layers - 1)
            case .pixels: RelevanceStream.pixels
            }
        }
    }

    init(
        _ name: String, title: String, query: Query, needs: Needs = Needs(),
        map: @escaping @Sendable (AttributionPass, MapQuery) -> HeatMap
    ) {
        (self.name, self.title, self.query, self.needs, self.map) = (name, title, query, needs, map)
    }

    /// Whether the map differs between classes.
    public var usesClass: Bool { query != .nothing }

    /// In the order of the tables.
    public static let all: [AttributionMethod] = [
        .partialLRP, .rollout, .lrp, .gradcam, .chefer2021, .rawAttention, .textSpan, .secondOrder, .leGrad,
    ]

    /// - Returns: nil where no method has the name.
    public static func named(_ name: String) -> AttributionMethod? { all.first { $0.name == name } }
}

extension AttributionMethod: Hashable {
    public static func == (a: AttributionMethod, b: AttributionMethod) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// What one map is asked for: a class, and the neurons that speak for it where the method takes them.
public struct MapQuery: Sendable {
    /// A row of the classifier; without meaning where the method does not use the class.
    public var label: Int
    /// Layer and index of each; nil for a method that takes none.
    public var neurons: [(layer: Int, neuron: Int)]?

    public init(label: Int, neurons: [(layer: Int, neuron: Int)]? = nil) {
        (self.label, self.neurons) = (label, neurons)
    }
}
