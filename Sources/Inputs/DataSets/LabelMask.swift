/// The class of each pixel of a picture, in the same numbering for every data set.
public struct LabelMask: Sendable, Equatable {
    /// A pixel that counts nowhere: borders of objects, crowds, what annotators left open.
    public static let ignored = UInt16.max
    /// A pixel of no class, or of none that the set names.
    public static let background: UInt16 = 0

    public let width: Int
    public let height: Int
    /// 0 background, `l + 1` for class `l`, ``ignored``; row-major. // [height, width]
    public var labels: [UInt16]

    public init(width: Int, height: Int, labels: [UInt16]) {
        precondition(width > 0 && height > 0 && labels.count == width * height, "a mask has one label a pixel")
        self.width = width
        self.height = height
        self.labels = labels
    }

    init(width: Int, height: Int, filled label: UInt16 = LabelMask.background) {
        self.init(width: width, height: height, labels: [UInt16](repeating: label, count: width * height))
    }

    /// The numbering of a data set turned into this one.
    /// - Parameters:
    ///   - meaning: the label for a number of the set, nil for a number that the set does not have.
    ///   - picture: for the error.
    /// - Throws: ``DataSetError/labelOutOfRange(path:place:label:classes:)``.
    func renumbered(path: String, picture: String, classes: Int, _ meaning: (UInt16) -> UInt16?) throws -> LabelMask {
        // Masks have few labels and many pixels: each number is asked for once.
        var table = [UInt16?](repeating: nil, count: 1 << 16)
        var known = [Bool](repeating: false, count: 1 << 16)
        var result = self
        for index in labels.indices {
            let number = Int(labels[index])
            if !known[number] {
                table[number] = meaning(labels[index])
                known[number] = true
            }
            guard let label = table[number] else {
                throw DataSetError.labelOutOfRange(
                    path: path, place: "\(picture), row \(index / width), column \(index % width)", label: number,
                    classes: classes)
            }
            result.labels[index] = label
        }
        return result
    }
}
