/// How the search finds its phrases: the columns of Table 3.
enum SearchMethod: String, CaseIterable, Sendable, Codable {
    /// A control that the paper does not have: phrases drawn at random.
    case randomWords = "random-words"
    /// The descriptions of neurons drawn at random.
    case randomNeurons = "random-neurons"
    /// Neurons and descriptions by indirect effects.
    case indirect
    /// The phrases nearest to v, without any neurons.
    case similarWords = "similar-words"
    case secondOrder = "second-order"

    /// Whether neurons or words are drawn anew for each repeat.
    var isDrawn: Bool { self == .randomWords || self == .randomNeurons }

    var title: String {
        switch self {
        case .randomWords: "random words"
        case .randomNeurons: "random neurons"
        case .indirect: "indirect"
        case .similarWords: "similar words"
        case .secondOrder: "second order"
        }
    }
}

/// One search: a pair of classes, a method and the number of its repeat.
struct SearchUnit: Sendable, Hashable, Codable {
    let pair: Int
    let method: SearchMethod
    let `repeat`: Int

    /// All searches, in the order of their pictures.
    static func all(_ spec: AdversarialSearchSpec) -> [SearchUnit] {
        spec.pairs.indices.flatMap { pair in
            SearchMethod.allCases.flatMap { method in
                (0..<spec.repeats).map { SearchUnit(pair: pair, method: method, repeat: $0) }
            }
        }
    }

    /// Names a picture of the search: `dog→deer/second-order/0/17`.
    func pictureID(_ picture: Int, _ spec: AdversarialSearchSpec) -> String {
        "\(spec.pairs[pair].name)/\(method.rawValue)/\(`repeat`)/\(picture)"
    }
}
