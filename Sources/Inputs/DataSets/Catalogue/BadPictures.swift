/// What becomes of a picture that cannot be read.
public enum BadPictures: String, CaseIterable, Sendable {
    /// It ends the work.
    case fail
    /// It is left out, and listed with the reason.
    case skip
}
