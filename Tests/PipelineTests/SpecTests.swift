import Foundation
import Foundations
import TestSupport
import Testing

@testable import Pipeline

private enum Activation: String, CaseIterable { case gelu, quickgelu }
private enum FitKey: String, CaseIterable { case images, share }
private enum Key: String, CaseIterable {
    case experiment, model, layers, activation, fit, threshold, templates, exact
    case splits
}

@Suite struct SpecTests {
    private static let text = """
        # A comment with *stars*
        experiment: mean-ablation
        model: "08"
        layers: [9, 10, 11]
        activation: quickgelu
        fit:
          images: 5000
          share: 0.5
        threshold: 1.0e-3
        exact: true
        templates:
          - a photo of a {}.
          - 'it''s {}'
        splits:
          - images: 1
          - images: 2
            share: 1
        """

    @Test func wellFormedSpecsAreReadInTheirTypes() throws {
        let document = try SpecDocument(text: Self.text, path: "x.yaml")
        let root = try document.root(keys: Key.self)
        #expect(try root.string(.experiment) == "mean-ablation")
        #expect(try root.string(.model) == "08")
        #expect(try root.integers(.layers, in: 0...11) == [9, 10, 11])
        #expect(try root.choice(.activation, of: Activation.self) == .quickgelu)
        let fit = try root.mapping(.fit, keys: FitKey.self)
        #expect(try fit.integer(.images, in: 1...10_000) == 5000)
        #expect(try fit.double(.share, in: 0...1) == 0.5)
        #expect(try root.double(.threshold) == 0.001)
        #expect(try root.bool(.exact))
        #expect(try root.strings(.templates) == ["a photo of a {}.", "it's {}"])
        let splits = try root.mappings(.splits, keys: FitKey.self)
        #expect(try splits.map { try $0.integer(.images) } == [1, 2])
        #expect(try splits[0].double(.share, default: 0.25) == 0.25)
        #expect(try splits[1].double(.share) == 1)
        #expect(document.digest == Digest.sha256(of: Data(Self.text.utf8)))
    }

    // MARK: Keys

    @Test func anUnknownKeyComesWithTheOneProbablyMeant() {
        expect(
            "experiment: x\nmodle: y\n", 2, 1,
            .unknownKey("modle", suggestion: "model", known: Key.allCases.map(\.rawValue) + [SpecDocument.siteKey])
        ) { _ in }
        expect(
            "fit:\n  imags: 3\n", 2, 3,
            .unknownKey("imags", suggestion: "images", known: ["images", "share"])
        ) { _ = try $0.mapping(.fit, keys: FitKey.self) }
        expect(
            "seed: 1\n", 1, 1,
            .unknownKey("seed", suggestion: nil, known: Key.allCases.map(\.rawValue) + [SpecDocument.siteKey])
        ) { _ in }
    }

    @Test func missingAndDuplicateKeysAreNamed() {
        expect("fit: {share: 1}\n", 1, 6, .missingKey("fit.images")) {
            _ = try $0.mapping(.fit, keys: FitKey.self).integer(.images)
        }
        expect("model: a\nlayers: [1]\nmodel: b\n", 1, 1, .duplicateKey("model")) { _ in }
        expect("fit: {images: 1, images: 2}\n", 1, 7, .duplicateKey("images")) { _ in }
    }

    // MARK: Values

    @Test(arguments: [
        "no", "Yes", "on", "08", "1e3", "0x1F", "1_000", "12:30", "2024-01-01", "+5", ".5", "3.",
        "true", "5",
    ])
    func textThatReadersDisagreeAboutNeedsQuotes(text: String) {
        expect("model: \(text)\n", 1, 8, .ambiguous(key: "model", text: text, expected: .text)) {
            _ = try $0.string(.model)
        }
    }

    @Test(arguments: ["08", "0x1F", "1e3", "1_000", "0o7", "+5", "12:30"])
    func ambiguousIntegersAreRefused(text: String) {
        expect("exact: \(text)\n", 1, 8, .ambiguous(key: "exact", text: text, expected: .integer)) {
            _ = try $0.integer(.exact)
        }
    }

    @Test(arguments: ["1e3", ".5", "5.", ".inf", ".nan", "1_0.5"])
    func ambiguousNumbersAreRefused(text: String) {
        expect(
            "threshold: \(text)\n", 1, 12,
            .ambiguous(key: "threshold", text: text, expected: .number)
        ) {
            _ = try $0.double(.threshold)
        }
    }

    @Test(arguments: ["no", "yes", "True", "on", "FALSE"])
    func onlyTrueAndFalseAreBooleans(text: String) {
        expect("exact: \(text)\n", 1, 8, .ambiguous(key: "exact", text: text, expected: .boolean)) {
            _ = try $0.bool(.exact)
        }
    }

    @Test func valuesOfAnotherKindAreRefused() {
        expect("exact: [1]\n", 1, 8, .wrongKind(key: "exact", expected: .integer, found: .list)) {
            _ = try $0.integer(.exact)
        }
        expect("exact: '5'\n", 1, 8, .wrongKind(key: "exact", expected: .integer, found: .text)) {
            _ = try $0.integer(.exact)
        }
        expect("exact: 1.5\n", 1, 8, .wrongKind(key: "exact", expected: .integer, found: .number)) {
            _ = try $0.integer(.exact)
        }
        expect("model:\n", 1, 7, .wrongKind(key: "model", expected: .text, found: .null)) {
            _ = try $0.string(.model)
        }
        expect("layers: 9\n", 1, 9, .wrongKind(key: "layers", expected: .list, found: .integer)) {
            _ = try $0.integers(.layers)
        }
        expect("- a\n", 1, 1, .wrongKind(key: "", expected: .mapping, found: .list)) { _ in }
        expect("? [a]\n: b\n", 1, 3, .wrongKind(key: "", expected: .text, found: .list)) { _ in }
    }

    @Test func rangesAreCheckedWhereTheValueStands() {
        expect(
            "model: a\nlayers: [3, 12]\n", 2, 13,
            .outOfRange(key: "layers", value: "12", lower: "0", upper: "11")
        ) { _ = try $0.integers(.layers, in: 0...11) }
        expect(
            "threshold: -0.5\n", 1, 12,
            .outOfRange(key: "threshold", value: "-0.5", lower: "0.0", upper: "1.0")
        ) { _ = try $0.double(.threshold, in: 0...1) }
        expect(
            "exact: 99999999999999999999\n", 1, 8,
            .outOfRange(
                key: "exact", value: "99999999999999999999", lower: "\(Int.min)",
                upper: "\(Int.max)")
        ) { _ = try $0.integer(.exact) }
    }

    @Test func choicesAndListsAreChecked() {
        expect(
            "activation: quikgelu\n", 1, 13,
            .unknownChoice(
                key: "activation", value: "quikgelu", suggestion: "quickgelu",
                choices: ["gelu", "quickgelu"])
        ) { let _: Activation = try $0.choice(.activation) }
        expect("layers: []\n", 1, 9, .emptyList(key: "layers")) { _ = try $0.integers(.layers) }
        expect(
            "layers: [1, 2, 1]\n", 1, 16, .duplicateElement(key: "layers", value: "1")
        ) { _ = try $0.integers(.layers) }
        expect("layers: [1]\n", 1, 9, .invalid(key: "layers", reason: "no later attention")) {
            throw $0.invalid(.layers, "no later attention")
        }
    }

    // MARK: Text

    @Test func anchorsAliasesAndTagsAreRefused() {
        expect("model: &a x\nexperiment: *a\n", 1, 8, .anchor) { _ in }
        expect("exact: !!int 5\n", 1, 8, .tag("tag:yaml.org,2002:int")) { _ in }
        expect("exact: !foo 5\n", 1, 8, .tag("!foo")) { _ in }
    }

    @Test(.timeLimit(.minutes(1)))
    func anAliasBombIsHarmless() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1..<10 {
            let aliases = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(aliases)]\n"
        }
        text += "? *a9\n: x\n"
        #expect(throws: SpecError.self) { try SpecDocument(text: text, path: "bomb.yaml") }
        // What merely looks like emphasis is text.
        let emphasis = "model: \"" + String(repeating: "**bold** 2*x ", count: 50) + "\"\n"
        #expect(throws: Never.self) { try SpecDocument(text: emphasis, path: "text.yaml") }
        // Few enough aliases to be parsed, each in a key.
        let small = "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\n? *c\n: y\n"
        #expect(throws: SpecError.self) { try SpecDocument(text: small, path: "small.yaml") }
    }

    @Test func brokenTextsHaveAPlace() throws {
        for text in [
            "model: [", "model: 'x", "\tmodel: x", "a: b: c", "model: x\n---\nmodel: y\n", "%",
        ] {
            let error = #expect(throws: SpecError.self) {
                try SpecDocument(text: text, path: "x.yaml")
            }
            guard case .syntax = error?.kind else {
                Issue.record("\(text): \(String(describing: error))")
                continue
            }
            #expect(error?.position != nil)
        }
        expect("", nil, nil, .empty) { _ in }
        expect("# only a comment\n", nil, nil, .empty) { _ in }
    }

    @Test func deepNestingIsRefused() {
        for text in [
            String(repeating: "[", count: 100_000), String(repeating: "- ", count: 50_000),
        ] {
            #expect(throws: SpecError.self) { try SpecDocument(text: text, path: "x.yaml") }
        }
    }

    @Test func filesThatAreNoTextAreRefused() throws {
        let folder = try TemporaryFolder()
        let url = folder.url.appendingPathComponent("spec.yaml")
        func kind() -> SpecError.Kind? {
            #expect(throws: SpecError.self) { try SpecDocument(contentsOf: url) }?.kind
        }
        #expect(kind() == .cannotRead(.missing))
        try Data([0x61, 0xFF]).write(to: url)
        #expect(kind() == .notUTF8)
        try Data(repeating: 0x20, count: SpecDocument.sizeLimit + 10).write(to: url)
        #expect(
            kind() == .tooLarge(bytes: SpecDocument.sizeLimit + 10, limit: SpecDocument.sizeLimit))
        try FileManager.default.removeItem(at: url)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        #expect(kind() == .cannotRead(.isAFolder))
    }

    @Test func seededMutationsNeverTrap() {
        var generator = SplitMix64(seed: 3, stream: 0)
        let original = Array(Self.text.utf8)
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    bytes[index] =
                        "&*!?:-[]{}'\"#|>%@\t\n 0".utf8.randomElement(using: &generator) ?? 0
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes[index], at: bytes.startIndex)
                }
            }
            let document = try? SpecDocument(
                text: String(decoding: bytes, as: UTF8.self), path: "x")
            let root = try? document?.root(keys: Key.self)
            _ = try? root?.integers(.layers)
            _ = try? root?.mapping(.fit, keys: FitKey.self).double(.share)
        }
    }

    // MARK: Names

    @Test func nearestNamesAreThoseOneWouldMean() {
        let known = ["model", "layers", "method", "m"]
        #expect(nearestName(to: "modle", among: known) == "model")
        #expect(nearestName(to: "Layer", among: known) == "layers")
        #expect(nearestName(to: "completely-else", among: known) == nil)
        #expect(nearestName(to: "x", among: []) == nil)
        #expect(editDistance("", "abc") == 3)
        #expect(editDistance("kitten", "sitting") == 3)
        #expect(editDistance("ab", "ba") == 1)
    }

    private func expect(
        _ text: String, _ line: Int?, _ column: Int?, _ kind: SpecError.Kind,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (SpecMapping<Key>) throws -> Void
    ) {
        let position = line.flatMap { line in column.map { SpecPosition(line: line, column: $0) } }
        #expect(
            throws: SpecError(path: "x.yaml", position: position, kind: kind),
            sourceLocation: sourceLocation
        ) {
            try body(SpecDocument(text: text, path: "x.yaml").root(keys: Key.self))
        }
    }
}
