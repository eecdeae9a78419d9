/// Where the tokens of an image stand in the residual stream: first those that are no patches, then the patches row by row.
public struct TokenLayout: Equatable, Sendable {
    /// Tokens before the patches.
    public let prefix: Int
    /// The row of the class token, whose embedding is the image's.
    public let classToken: Int
    /// Patches in a row and in a column.
    public let side: Int

    /// CLIP's: the class token, then the patches.
    public init(side: Int) { (prefix, classToken, self.side) = (1, 0, side) }

    public var patches: Int { side * side }
    /// Number T of all tokens.
    public var count: Int { prefix + patches }
    /// The rows of the patches.
    public var patchRows: Range<Int> { prefix..<count }

    /// The class token's row among those of a batch. // [batch · T]
    public func classRow(of image: Int) -> Int { image * count + classToken }
}
