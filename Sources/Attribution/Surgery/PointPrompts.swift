/// Points for a promptable segmenter, made of a map (CLIP Surgery, arXiv 2304.05653): where the map is largest the
/// object is, where it is smallest it is not.
public struct PointPrompts: Sendable, Equatable {
    /// A pixel of the image.
    public struct Point: Sendable, Hashable, Codable {
        public var x: Int
        public var y: Int

        public init(x: Int, y: Int) { (self.x, self.y) = (x, y) }
    }

    /// The best last.
    public let positive: [Point]
    /// The worst first; as many as there are positive ones for one map.
    public let negative: [Point]

    /// From this value on, of 0…1, a cell counts as the object.
    static let threshold: Float = 0.8

    /// The points of one map, taken on a grid of half its side: as many as cells are 0.8 or more, but at most half of
    /// the cells of either kind.
    /// - Parameters:
    ///   - map: of any scale; at least two cells on a side.
    ///   - width: of the image that the map belongs to, squashed to a square.
    public init(_ map: HeatMap, width: Int, height: Int) {
        let cells = Cells(map)
        positive = cells.order.suffix(cells.count).map { cells.point($0, width: width, height: height) }
        negative = cells.order.prefix(cells.count).map { cells.point($0, width: width, height: height) }
    }

    /// The points of several texts for one prompt, "a+b": the positive points of each, the negative ones of the mean of
    /// their maps, each from 0 to 1.
    /// - Precondition: there are maps, all of one side.
    public init(together maps: [HeatMap], width: Int, height: Int) {
        precondition(!maps.isEmpty && maps.allSatisfy { $0.side == maps[0].side }, "maps of one side")
        positive = maps.flatMap { PointPrompts($0, width: width, height: height).positive }
        var mean = [Float](repeating: 0, count: maps[0].values.count)
        for map in maps {
            for (index, value) in map.normalised().values.enumerated() { mean[index] += value / Float(maps.count) }
        }
        negative = PointPrompts(HeatMap(side: maps[0].side, values: mean), width: width, height: height).negative
    }

    private struct Cells {
        let side: Int
        /// Cells by ascending value; equal ones in the order of reading.
        let order: [Int]
        /// Points of either kind.
        let count: Int

        init(_ map: HeatMap) {
            side = max(map.side / 2, 1)
            let values = map.resized(to: side).normalised().values
            order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
            count = min(values.count { $0 >= PointPrompts.threshold }, values.count / 2)
        }

        /// The pixel at a cell's centre.
        func point(_ cell: Int, width: Int, height: Int) -> Point {
            func pixel(_ index: Int, _ length: Int) -> Int {
                min(Int((Double(index) + 0.5) * Double(length) / Double(side)), length - 1)
            }
            return Point(x: pixel(cell % side, width), y: pixel(cell / side, height))
        }
    }
}
