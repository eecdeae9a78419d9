import Foundations

/// What is wrong with specs: all faults that reading them showed, at least one.
public struct SpecError: Error, Equatable, Sendable {
    /// Those of one file in the order of its text, of several files in the order in which they were read.
    public let faults: [SpecFault]

    /// - Precondition: there is one.
    public init(_ faults: [SpecFault]) {
        precondition(!faults.isEmpty, "an error has a fault")
        self.faults = faults
    }

    /// What is made of every element, where none shows a fault.
    /// - Throws: `SpecError` with the faults of all elements.
    public static func collected<Element, Value>(
        _ elements: [Element], _ make: (Element) throws(SpecError) -> Value
    ) throws(SpecError) -> [Value] {
        var (values, faults): ([Value], [SpecFault]) = ([], [])
        for element in elements {
            do throws(SpecError) {
                values.append(try make(element))
            } catch {
                faults += error.faults
            }
        }
        guard faults.isEmpty else { throw SpecError(faults) }
        return values
    }

    init(path: String, position: SpecPosition?, kind: SpecFault.Kind) {
        self.init([SpecFault(path: path, position: position, kind: kind)])
    }
}

/// A defect of a spec, with the place where it stands.
public struct SpecFault: Error, Equatable, Sendable {
    public let path: String
    /// Line and column, counted from 1; nil where the defect is the file's as a whole.
    public let position: SpecPosition?
    public let kind: Kind

    public enum Kind: Equatable, Sendable {
        // MARK: File
        case cannotRead(FileFault)
        case tooLarge(bytes: Int, limit: Int)
        case notUTF8
        case empty

        // MARK: YAML
        case syntax(problem: String)
        case duplicateKey(String)
        /// Specs do without anchors, aliases and tags: what is read is what is written.
        case anchor
        case tag(String)

        // MARK: Keys
        case unknownKey(String, suggestion: String?, known: [String])
        case missingKey(String)

        // MARK: Values
        case wrongKind(key: String, expected: ValueKind, found: ValueKind)
        /// A plain scalar that readers of YAML disagree about, such as `no`, `08` or `1e3`.
        case ambiguous(key: String, text: String, expected: ValueKind)
        case outOfRange(key: String, value: String, lower: String, upper: String)
        /// `choices` are those that may be shown.
        case unknownChoice(key: String, value: String, suggestion: String?, choices: [String])
        /// A name that is none of the choices where a path could stand, but has no slash.
        case neitherNameNorPath(key: String, value: String, suggestion: String?, choices: [String])
        case emptyList(key: String)
        case duplicateElement(key: String, value: String)
        /// A value that is well formed but not possible, for a reason that the caller knows.
        case invalid(key: String, reason: String)
    }

    public enum ValueKind: String, Equatable, Sendable {
        case text, integer, number, boolean, null, list, mapping
    }

    public init(path: String, position: SpecPosition?, kind: Kind) {
        self.path = path
        self.position = position
        self.kind = kind
    }
}

/// A place in a text, counted from 1; columns count Unicode scalars.
public struct SpecPosition: Equatable, Sendable {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}

/// A value of a spec, by its place.
public struct SpecPlace: Sendable {
    let path: String
    let position: SpecPosition
    /// As the keys that lead to it: `fit.sample`.
    let key: String

    /// The error that the value is well formed but not possible, for what turns out after the spec is read.
    public func invalid(_ reason: String) -> SpecError {
        SpecError(path: path, position: position, kind: .invalid(key: key, reason: reason))
    }
}

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
