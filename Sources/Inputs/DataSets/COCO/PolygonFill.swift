/// The inside of a polygon, by the rule that COCO's masks were made with.
///
/// The outline is drawn at five times the picture's size, one point a step along the longer side of
/// each edge. Wherever it passes from one column of pixels to the next through the middle of a column,
/// the pixels of that column from there on change between outside and inside.
enum PolygonFill {
    /// How finely the outline is drawn.
    private static let scale = 5.0
    /// Coordinates beyond which no picture reaches.
    static let coordinates = -65536.0...65536.0

    /// Sets the pixels inside.
    /// - Parameters:
    ///   - corners: x and y by turns, in pixels.
    ///   - region: column by column. // [width, height]
    static func paint(_ corners: [Double], width: Int, height: Int, on region: inout [Bool]) {
        precondition(
            corners.count % 2 == 0 && corners.allSatisfy(coordinates.contains),
            "corners are checked where they are read")
        // Truncation, as conversions in C do; below zero it rounds up.
        let points = stride(from: 0, to: corners.count, by: 2).map {
            (x: upscaled(corners[$0]), y: upscaled(corners[$0 + 1]))
        }
        guard let first = points.first else { return }
        var changes = [Bool](repeating: false, count: region.count + 1)
        var previous: (x: Int, y: Int)?
        for (start, end) in zip(points, points.dropFirst() + [first]) {
            edge(from: start, to: end) { x, y in
                if let previous, previous.x != x {
                    cross(from: previous, to: (x, y), width: width, height: height, &changes)
                }
                previous = (x, y)
            }
        }
        var isInside = false
        for pixel in region.indices {
            if changes[pixel] { isInside.toggle() }
            if isInside { region[pixel] = true }
        }
    }

    private static func upscaled(_ coordinate: Double) -> Int { Int(scale * coordinate + 0.5) }

    /// Calls `body` with each point of an edge, from its start to its end.
    private static func edge(from start: (x: Int, y: Int), to end: (x: Int, y: Int), _ body: (Int, Int) -> Void) {
        let (dx, dy) = (abs(end.x - start.x), abs(end.y - start.y))
        let steps = max(dx, dy)
        guard steps > 0 else { return body(start.x, start.y) }
        // An edge is drawn in the direction in which its longer side grows, so that both neighbours of
        // a common edge draw the same points.
        let isFlipped = dx >= dy ? start.x > end.x : start.y > end.y
        let (low, high) = isFlipped ? (end, start) : (start, end)
        let slope = dx >= dy ? Double(high.y - low.y) / Double(dx) : Double(high.x - low.x) / Double(dy)
        for step in 0...steps {
            let t = isFlipped ? steps - step : step
            if dx >= dy {
                body(low.x + t, Int(Double(low.y) + slope * Double(t) + 0.5))
            } else {
                body(Int(Double(low.x) + slope * Double(t) + 0.5), low.y + t)
            }
        }
    }

    /// Notes the change where the outline steps from one fine column to the next.
    private static func cross(
        from previous: (x: Int, y: Int), to next: (x: Int, y: Int), width: Int, height: Int, _ changes: inout [Bool]
    ) {
        let column = (Double(next.x < previous.x ? next.x : next.x - 1) + 0.5) / scale - 0.5
        // Of five fine columns only the middle one is a column of pixels.
        guard column == column.rounded(.down), column >= 0, column <= Double(width - 1) else { return }
        let row = (Double(min(next.y, previous.y)) + 0.5) / scale - 0.5
        let pixel = Int(column) * height + Int(min(max(row, 0), Double(height)).rounded(.up))
        changes[pixel].toggle()
    }
}

/// Regions of a picture as COCO stores them, painted as COCO's own programs paint them.
///
/// Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and its mask format: runs of
/// pixels by turns outside and inside, column by column; in text form as differences in base 32.
enum RunLengths {
    enum Fault: Error, Equatable {
        case invalid(String)
    }

    /// The run lengths behind a compressed string.
    ///
    /// Each character but the last of a number has bit 5 set; five bits a character, least significant
    /// first, bit 4 of the last one is the sign. From the fourth number on, differences to the number
    /// two before.
    static func decompressed(_ text: some Collection<UInt8>) throws(Fault) -> [Int] {
        var counts: [Int] = []
        var iterator = text.makeIterator()
        while let first = iterator.next() {
            var (value, shift) = (0, 0)
            var character = first
            while true {
                guard (48..<112).contains(character) else { throw .invalid("a character of compressed run lengths") }
                guard shift <= 35 else { throw .invalid("run lengths of 32 bits") }
                let digit = Int(character) - 48
                value |= (digit & 0x1F) << shift
                shift += 5
                if digit & 0x20 == 0 {
                    if digit & 0x10 != 0 { value |= -1 << shift }
                    break
                }
                guard let next = iterator.next() else { throw .invalid("the end of a run length") }
                character = next
            }
            if counts.count > 2 { value += counts[counts.count - 2] }
            counts.append(value)
        }
        return counts
    }

    /// Sets the pixels inside.
    /// - Parameter region: column by column. // [width, height]
    static func paint(_ counts: [Int], on region: inout [Bool]) throws(Fault) {
        var place = 0
        for (index, count) in counts.enumerated() {
            guard count >= 0, count <= region.count - place else {
                throw .invalid("runs of \(region.count) pixels together")
            }
            if index % 2 == 1 {
                for pixel in place..<place + count { region[pixel] = true }
            }
            place += count
        }
        guard place == region.count else {
            throw .invalid("runs of \(region.count) pixels together, here are \(place)")
        }
    }
}
