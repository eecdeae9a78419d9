/// With what the likeness of a token and a label is compared.
public enum LabelFeatures: String, CaseIterable, Sendable {
    /// With nothing: the cosine itself.
    case plain
    /// Feature surgery among all labels of the vocabulary.
    case amongLabels = "among-labels"
    /// Feature surgery of each label by itself, against the empty text.
    case singleText = "single-text"
}
