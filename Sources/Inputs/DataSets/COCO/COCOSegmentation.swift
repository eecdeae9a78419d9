extension COCOAnnotations {
    /// The pixels of an annotation, column by column; nil where it has no segmentation.
    ///
    /// Polygons of one annotation are joined; each has three corners or more. Run lengths are a list
    /// (`"counts": [12, 3, …]`) or a compressed string.
    /// - Returns: // [width, height]
    /// - Throws: ``InputError/malformedFile(path:place:expected:)``, ``DataSetError/maskOfAnotherSize(path:picture:mask:image:)``.
    func region(_ annotation: Annotation, of picture: Picture) throws -> [Bool]? {
        if annotation.segmentation.isEmpty { return nil }
        do {
            return try bytes.withUnsafeBytes { buffer in
                // Behind the value other values follow; the scan has found where it ends.
                var json = JSONBytes(buffer, at: annotation.segmentation.lowerBound)
                var region = [Bool](repeating: false, count: picture.width * picture.height)
                if json.peek() == UInt8(ascii: "[") {
                    try paintPolygons(&json, picture, on: &region)
                } else {
                    try paintRuns(&json, picture, on: &region)
                }
                return region
            }
        } catch let fault as JSONBytes.Fault {
            throw InputError.malformedFile(path: path, place: "byte \(fault.offset)", expected: fault.expected)
        }
    }

    /// Steps along the outline of one annotation beyond which it is refused: real ones take thousands.
    private static let outlineLimit = 50_000_000.0

    private func paintPolygons(_ json: inout JSONBytes, _ picture: Picture, on region: inout [Bool]) throws {
        var outline = 0.0
        try json.array { json in
            var corners: [Double] = []
            let start = json.position
            try json.array { json in
                let corner = try json.number()
                guard PolygonFill.coordinates.contains(corner) else {
                    throw json.fault("a coordinate of a picture", at: start)
                }
                corners.append(corner)
            }
            guard corners.count >= 6, corners.count % 2 == 0 else {
                throw json.fault("a polygon of three corners or more, x and y by turns", at: start)
            }
            for index in corners.indices {
                outline += 5 * abs(corners[index] - corners[(index + 2) % corners.count])
            }
            guard outline <= Self.outlineLimit else {
                throw json.fault("outlines around things in a picture", at: start)
            }
            PolygonFill.paint(corners, width: picture.width, height: picture.height, on: &region)
        }
    }

    private func paintRuns(_ json: inout JSONBytes, _ picture: Picture, on region: inout [Bool]) throws {
        var counts: [Int]?
        var size: [Int]?
        let start = json.position
        try json.object { json, key in
            switch key {
            case "size":
                var sides: [Int] = []
                try json.array { sides.append(try $0.integer()) }
                size = sides
            case "counts":
                if json.peek() == UInt8(ascii: "\"") {
                    // In JSON a backslash, which is a digit of this notation, is written twice.
                    let place = json.position
                    let text = try json.string()
                    do throws(RunLengths.Fault) {
                        counts = try RunLengths.decompressed(text.utf8)
                    } catch .invalid(let expected) {
                        throw json.fault(expected, at: place)
                    }
                } else {
                    var runs: [Int] = []
                    try json.array { runs.append(try $0.integer()) }
                    counts = runs
                }
            default: try json.skipValue()
            }
        }
        guard let counts, let size, size.count == 2 else {
            throw json.fault("run lengths with size and counts", at: start)
        }
        guard size == [picture.height, picture.width] else {
            throw DataSetError.maskOfAnotherSize(
                path: path, picture: picture.fileName, mask: size.reversed(), image: [picture.width, picture.height])
        }
        do throws(RunLengths.Fault) {
            try RunLengths.paint(counts, on: &region)
        } catch .invalid(let expected) {
            throw json.fault(expected, at: start)
        }
    }
}
