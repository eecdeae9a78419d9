import Attribution

/// A row of the explainability table: what makes a label's map.
enum ExplainabilityCase: Sendable, Hashable {
    case reading(TokenReading)
    case attribution(AttributionMethod)
    /// The map of a label that the image does not show, against one that it does.
    case absentLabel(TokenReading)
    /// A map that marks everything: what a number is worth.
    case wholePicture

    var name: String {
        switch self {
        case .reading(let reading): reading.name
        case .attribution(let method): method.name
        case .absentLabel(let reading): "\(reading.name)-absent-label"
        case .wholePicture: "whole-picture"
        }
    }

    /// In tables and pictures.
    var title: String {
        switch self {
        case .reading(let reading): reading.title
        case .attribution(let method): method.title
        case .absentLabel(let reading): "\(reading.title), a label that is absent"
        case .wholePicture: "the whole picture"
        }
    }

    /// All that decides a number, for the key of a step.
    var key: String {
        switch self {
        case .reading(let reading): reading.key
        case .attribution(let method): method.name
        case .absentLabel(let reading): "absent label, \(reading.key)"
        case .wholePicture: "whole picture"
        }
    }

    /// Whether its curve over thresholds is drawn: surgery beside what it is made of, and the methods of the other paper
    /// that come nearest. All are in the list.
    func isDrawn(depth: Int) -> Bool {
        switch self {
        case .reading: Self.surgery(depth: depth).contains(self)
        case .attribution(let method): [.textSpan, .secondOrder, .chefer2021].contains(method)
        case .absentLabel, .wholePicture: false
        }
    }

    var reading: TokenReading? {
        switch self {
        case .reading(let reading), .absentLabel(let reading): reading
        case .attribution, .wholePicture: nil
        }
    }

    /// Readings without anything else: raw CLIP, surgery's halves, and surgery.
    static func surgery(depth: Int) -> [ExplainabilityCase] {
        [.clip, .featureSurgery, .architectureSurgery(depth: depth), .surgery(depth: depth), .singleText(depth: depth)]
            .map { .reading($0) }
    }

    /// Raw CLIP, every attribution method, surgery without each of its halves and whole, the variants, a control.
    static func all(depth: Int, secondOrder: Bool) -> [ExplainabilityCase] {
        let surgery = TokenReading.surgery(depth: depth)
        return [.reading(.clip)]
            + AttributionMethod.all.filter { secondOrder || $0 != .secondOrder }.map { .attribution($0) }
            + [.reading(.featureSurgery), .reading(.architectureSurgery(depth: depth)), .reading(surgery)]
            + [.reading(.singleText(depth: depth))] + TokenReading.variants(depth: depth).map { .reading($0) }
            + [.absentLabel(surgery), .wholePicture]
    }
}
