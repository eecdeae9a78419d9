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
