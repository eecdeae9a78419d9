import Attribution

/// A row of the segmentation table: a method's map of a class.
struct SegmentationCase: Sendable, Hashable {
    /// Which class is asked for.
    enum Query: String, CaseIterable, Sendable {
        /// The model's own answer, as in the paper.
        case predicted
        /// A class that the image does not show.
        case absent
    }

    /// What makes the map.
    enum Maker: Sendable, Hashable {
        case method(AttributionMethod)
        /// A control: as many neurons as the second-order map has, drawn at random.
        case randomNeurons

        var name: String {
            switch self {
            case .method(let method): method.name
            case .randomNeurons: "random-neurons"
            }
        }
    }

    let maker: Maker
    let query: Query

    /// Every method for the predicted class, then those that depend on the class for an absent one.
    static let all: [SegmentationCase] =
        AttributionMethod.all.map { .init(maker: .method($0), query: .predicted) }
        + [.init(maker: .randomNeurons, query: .predicted)]
        + AttributionMethod.all.filter(\.usesClass).map { .init(maker: .method($0), query: .absent) }
}
