/// A value of a MAT-file, of the kinds that data sets are stored in.
enum MATLABValue: Equatable {
    case numbers(MATLABArray)
    /// A row of characters; of a matrix of characters, all of them column by column.
    case text(String)
    case cells([MATLABValue])
    /// A structure array, element by element.
    case structures([[String: MATLABValue]])
    /// Sparse arrays, objects, functions, complex numbers: their class number.
    case other(UInt8)

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var array: MATLABArray? { if case .numbers(let array) = self { array } else { nil } }
    var structures: [[String: MATLABValue]]? { if case .structures(let values) = self { values } else { nil } }

    /// The number of a 1×1 array, where it is whole.
    var integer: Int? {
        guard let array, array.values.count == 1 else { return nil }
        return Int(exactly: array.values[0])
    }
}

/// Numbers of a MATLAB array, column by column: the first index varies fastest.
struct MATLABArray: Equatable {
    let dimensions: [Int]
    let values: [Double]

    /// A matrix of whole numbers from 0 to 65535 as a mask of those numbers; nil for anything else.
    func mask() -> LabelMask? {
        guard dimensions.count == 2, dimensions[0] > 0, dimensions[1] > 0 else { return nil }
        let (height, width) = (dimensions[0], dimensions[1])
        var mask = LabelMask(width: width, height: height)
        for column in 0..<width {
            for row in 0..<height {
                guard let label = UInt16(exactly: values[column * height + row]) else { return nil }
                mask.labels[row * width + column] = label
            }
        }
        return mask
    }
}
