import Inputs

extension PictureFault {
    /// What mends it.
    var fix: String {
        switch self {
        case .unknownFormat, .unreadableFormat, .unsupported: "convert it to a baseline JPEG or a PNG file"
        case .empty, .cut, .damaged: "replace the file by a sound one"
        case .tooLarge: "reduce the picture"
        case .noMemory: "use fewer workers or a machine with more memory"
        }
    }
}
