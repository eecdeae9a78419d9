/// The name that was probably meant by a misspelt one, or nil where none is close.
///
/// Close is a distance of at most a third of the letters, at least 1: `modle` means `model`, but
/// `seed` does not mean `fit`. Names at the same distance are taken in their order.
public func nearestName(to name: String, among known: [String]) -> String? {
    let best =
        known
        .map { (name: $0, distance: editDistance(name.lowercased(), $0.lowercased())) }
        .min { $0.distance < $1.distance }
    guard let best, best.distance <= max(1, max(name.count, best.name.count) / 3) else {
        return nil
    }
    return best.name
}

/// The least number of insertions, deletions, replacements and swaps of neighbours that turn one
/// text into the other (optimal string alignment).
func editDistance(_ a: String, _ b: String) -> Int {
    // A long key is no misspelling; the table stays small whatever the input.
    let a = Array(a.prefix(100))
    let b = Array(b.prefix(100))
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
        var row = [i + 1]
        row.reserveCapacity(b.count + 1)
        for j in 0..<b.count {
            var distance = min(
                row[j] + 1, previous[j + 1] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                distance = min(distance, beforePrevious[j - 1] + 1)
            }
            row.append(distance)
        }
        (beforePrevious, previous) = (previous, row)
    }
    return previous[b.count]
}
