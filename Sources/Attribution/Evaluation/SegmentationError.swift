/// A map and a mask that cannot be compared. Facts only.
public enum SegmentationError: Error, Equatable, Sendable {
    case emptyMask
    /// Pixels of each.
    case sizesDiffer(map: Int, mask: Int)
    /// A label that is none of 0, 1 and 255.
    case unknownLabel(UInt8, pixel: Int)
}
