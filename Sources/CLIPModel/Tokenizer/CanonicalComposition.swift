import Foundation

/// Unicode's normalization form C, in a given version of Unicode.
///
/// Foundation's `precomposedStringWithCanonicalMapping` will not do. Its Unicode is later than that
/// of the `tokenizers` library, and on Linux (Swift 6.3) it is wrong for some sequences:
/// a Hangul syllable and a final jamo are not composed; a supplementary scalar is composed with
/// the mark after it as if it had its lower 16 bits only (U+103B1 and a grave accent become
/// U+1F70, as U+03B1 would); marks within U+0F73 are not sorted. Single scalars it gets right:
/// those are the tables here.
///
/// Source: Unicode Standard Annex #15; the Unicode Standard, §3.11 and, for Hangul, §3.12.
struct CanonicalComposition: Sendable {
    /// As the `tokenizers` library composes: release 0.23.3 shows its version by which marks it sorts.
    static let ofTokenizersLibrary = CanonicalComposition(knownVersion: (major: 9, minor: 0))
    /// With all the scalars that Swift's standard library knows.
    static let ofThisRuntime = CanonicalComposition(knownVersion: (major: .max, minor: 0))

    /// Scalars that came after this version are unassigned: they compose with nothing and nothing
    /// moves across them.
    private let knownVersion: (major: Int, minor: Int)
    private let tables: Tables

    private init(knownVersion: (major: Int, minor: Int)) {
        self.knownVersion = knownVersion
        tables = Tables(knownVersion: knownVersion)
    }

    /// Below this, every scalar stands in composed text as it is, whatever is beside it
    /// (NFC_Quick_Check = Yes).
    private static let firstThatMayCompose: UInt32 = 0x300

    /// The composed form of a text.
    func compose(_ text: some Sequence<Unicode.Scalar>) -> [Unicode.Scalar] {
        guard text.contains(where: { $0.value >= Self.firstThatMayCompose }) else {
            return Array(text)
        }
        return composed(Self.sorted(decomposed(text)))
    }

    // MARK: - The three steps

    private struct Element {
        var scalar: Unicode.Scalar
        /// The canonical combining class: 0 for what begins a character, else a mark's place.
        var combiningClass: UInt8
    }

    private func decomposed(_ text: some Sequence<Unicode.Scalar>) -> [Element] {
        var elements: [Element] = []
        for scalar in text {
            guard Self.isKnown(scalar, in: knownVersion) else {
                elements.append(Element(scalar: scalar, combiningClass: 0))
                continue
            }
            for part in Self.hangulJamo(scalar) ?? tables.decompositions[scalar] ?? [scalar] {
                let combiningClass = part.properties.canonicalCombiningClass.rawValue
                elements.append(Element(scalar: part, combiningClass: combiningClass))
            }
        }
        return elements
    }

    /// Puts each run of marks in the order of their classes, those of one class as they were.
    private static func sorted(_ elements: [Element]) -> [Element] {
        var elements = elements
        var start = 0
        while start < elements.count {
            let end = elements[start...].firstIndex { $0.combiningClass == 0 } ?? elements.count
            if end - start > 1 {
                elements[start..<end].sort { $0.combiningClass < $1.combiningClass }
            }
            start = end + 1
        }
        return elements
    }

    /// Composes each scalar with the last starter before it, unless something in between blocks it.
    private func composed(_ elements: [Element]) -> [Unicode.Scalar] {
        var scalars: [Unicode.Scalar] = []
        var starter: Int?
        // The class of the last scalar kept after the starter; nil if there is none.
        var lastClass: UInt8?
        for element in elements {
            let isBlocked = lastClass.map { $0 >= element.combiningClass } ?? false
            if let starter, !isBlocked,
                let composite = composite(scalars[starter], element.scalar)
            {
                scalars[starter] = composite
                continue
            }
            if element.combiningClass == 0 {
                starter = scalars.count
                lastClass = nil
            } else {
                lastClass = element.combiningClass
            }
            scalars.append(element.scalar)
        }
        return scalars
    }

    // MARK: - Tables

    private static func isKnown(
        _ scalar: Unicode.Scalar, in version: (major: Int, minor: Int)
    ) -> Bool {
        scalar.properties.age.map { $0 <= version } ?? false
    }

    private func composite(
        _ first: Unicode.Scalar, _ second: Unicode.Scalar
    ) -> Unicode.Scalar? {
        Self.hangulSyllable(first, second) ?? tables.composites[Pair(first: first, second: second)]
    }

    private struct Pair: Hashable {
        var first: Unicode.Scalar
        var second: Unicode.Scalar
    }

    private struct Tables: Sendable {
        /// What scalars decompose into, in full; those that do not are left out.
        var decompositions: [Unicode.Scalar: [Unicode.Scalar]] = [:]
        /// Which pairs compose, and to what.
        var composites: [Pair: Unicode.Scalar] = [:]

        init(knownVersion: (major: Int, minor: Int)) {
            for value in CanonicalComposition.decomposable.joined() {
                guard let scalar = Unicode.Scalar(value), isKnown(scalar, in: knownVersion) else {
                    continue
                }
                let parts = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
                guard !parts.elementsEqual(CollectionOfOne(scalar)) else { continue }
                decompositions[scalar] = Array(parts)
                // The scalars that are not to be composed again do not come back to themselves.
                guard soleScalar(String(scalar).precomposedStringWithCanonicalMapping) == scalar,
                    let second = parts.last,
                    let first = soleScalar(
                        String(String.UnicodeScalarView(parts.dropLast()))
                            .precomposedStringWithCanonicalMapping)
                else { continue }
                composites[Pair(first: first, second: second)] = scalar
            }
        }
    }

    /// Where the scalars are that have decompositions in Unicode 17, but for Hangul.
    private static let decomposable: [ClosedRange<UInt32>] = [
        0xC0...0x30FF, 0xF900...0xFB4F, 0x105C9...0x105E4, 0x11000...0x1193F, 0x16121...0x16128,
        0x16D68...0x16D6A, 0x1D15E...0x1D1C0, 0x2F800...0x2FA1D,
    ]

    private static func soleScalar(_ text: String) -> Unicode.Scalar? {
        text.unicodeScalars.count == 1 ? text.unicodeScalars.first : nil
    }

    // MARK: - Hangul

    // Syllables are numbered by their leading consonant, their vowel and their final consonant.
    private static let syllables: ClosedRange<UInt32> = 0xAC00...0xD7A3
    private static let leading: ClosedRange<UInt32> = 0x1100...0x1112
    private static let vowels: ClosedRange<UInt32> = 0x1161...0x1175
    private static let finals: ClosedRange<UInt32> = 0x11A8...0x11C2
    /// No final consonant, or one of 27.
    private static let finalCount: UInt32 = 28

    private static func hangulJamo(_ scalar: Unicode.Scalar) -> [Unicode.Scalar]? {
        guard syllables.contains(scalar.value) else { return nil }
        let (pair, final) = (scalar.value - syllables.lowerBound)
            .quotientAndRemainder(dividingBy: finalCount)
        let (first, vowel) = pair.quotientAndRemainder(dividingBy: UInt32(vowels.count))
        let jamo = [leading.lowerBound + first, vowels.lowerBound + vowel]
        let last = final == 0 ? [] : [finals.lowerBound + final - 1]
        return (jamo + last).compactMap(Unicode.Scalar.init)
    }

    private static func hangulSyllable(
        _ first: Unicode.Scalar, _ second: Unicode.Scalar
    ) -> Unicode.Scalar? {
        if leading.contains(first.value), vowels.contains(second.value) {
            let pair =
                (first.value - leading.lowerBound) * UInt32(vowels.count)
                + (second.value - vowels.lowerBound)
            return Unicode.Scalar(syllables.lowerBound + pair * finalCount)
        }
        if syllables.contains(first.value), finals.contains(second.value),
            (first.value - syllables.lowerBound).isMultiple(of: finalCount)
        {
            return Unicode.Scalar(first.value + second.value - finals.lowerBound + 1)
        }
        return nil
    }
}
