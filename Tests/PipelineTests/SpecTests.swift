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
        try document.read { reader in
            let root = reader.root(keys: Key.self)
            #expect(root.string(.experiment) == "mean-ablation")
            #expect(root.string(.model) == "08")
            #expect(root.integers(.layers, in: 0...11) == [9, 10, 11])
            #expect(root.choice(.activation, of: Activation.self) == .quickgelu)
            let fit = root.mapping(.fit, keys: FitKey.self)
            #expect(fit.integer(.images, in: 1...10_000) == 5000)
            #expect(fit.double(.share, in: 0...1) == 0.5)
            #expect(root.double(.threshold) == 0.001)
            #expect(root.bool(.exact))
            #expect(root.strings(.templates) == ["a photo of a {}.", "it's {}"])
            let splits = root.mappings(.splits, keys: FitKey.self)
            #expect(splits.map { $0.integer(.images) } == [1, 2])
            #expect(splits[0].double(.share, default: 0.25) == 0.25)
            #expect(splits[1].double(.share) == 1)
        }
        #expect(document.digest == Digest.sha256(of: Data(Self.text.utf8)))
    }

    // MARK: Keys

    @Test func anUnknownKeyComesWithTheOneProbablyMeant() {
        expect(
            "experiment: x\nmodle: y\n", 2, 1,
            .unknownKey("modle", suggestion: "model", known: Key.allCases.map(\.rawValue) + ["slurm"])
        ) { _ in }
        expect(
            "fit:\n  imags: 3\n", 2, 3,
            .unknownKey("imags", suggestion: "images", known: ["images", "share"])
        ) { _ = $0.mapping(.fit, keys: FitKey.self) }
        expect(
            "seed: 1\n", 1, 1,
            .unknownKey("seed", suggestion: nil, known: Key.allCases.map(\.rawValue) + ["slurm"])
        ) { _ in }
    }

    @Test func missingAndDuplicateKeysAreNamed() {
        expect("fit: {share: 1}\n", 1, 6, .missingKey("fit.images")) {
            _ = $0.mapping(.fit, keys: FitKey.self).integer(.images)
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
            _ = $0.string(.model)
        }
    }

    @Test(arguments: ["08", "0x1F", "1e3", "1_000", "0o7", "+5", "12:30"])
    func ambiguousIntegersAreRefused(text: String) {
        expect("exact: \(text)\n", 1, 8, .ambiguous(key: "exact", text: text, expected: .integer)) {
            _ = $0.integer(.exact)
        }
    }

    @Test(arguments: ["1e3", ".5", "5.", ".inf", ".nan", "1_0.5"])
    func ambiguousNumbersAreRefused(text: String) {
        expect(
            "threshold: \(text)\n", 1, 12,
            .ambiguous(key: "threshold", text: text, expected: .number)
        ) {
            _ = $0.double(.threshold)
        }
    }

    @Test(arguments: ["no", "yes", "True", "on", "FALSE"])
    func onlyTrueAndFalseAreBooleans(text: String) {
        expect("exact: \(text)\n", 1, 8, .ambiguous(key: "exact", text: text, expected: .boolean)) {
            _ = $0.bool(.exact)
        }
    }

    @Test func valuesOfAnotherKindAreRefused() {
        expect("exact: [1]\n", 1, 8, .wrongKind(key: "exact", expected: .integer, found: .list)) {
            _ = $0.integer(.exact)
        }
        expect("exact: '5'\n", 1, 8, .wrongKind(key: "exact", expected: .integer, found: .text)) {
            _ = $0.integer(.exact)
        }
        expect("exact: 1.5\n", 1, 8, .wrongKind(key: "exact", expected: .integer, found: .number)) {
            _ = $0.integer(.exact)
        }
        expect("model:\n", 1, 7, .wrongKind(key: "model", expected: .text, found: .null)) {
            _ = $0.string(.model)
        }
        expect("layers: 9\n", 1, 9, .wrongKind(key: "layers", expected: .list, found: .integer)) {
            _ = $0.integers(.layers)
        }
        expect("- a\n", 1, 1, .wrongKind(key: "", expected: .mapping, found: .list)) { _ in }
        expect("? [a]\n: b\n", 1, 3, .wrongKind(key: "", expected: .text, found: .list)) { _ in }
    }

    @Test func rangesAreCheckedWhereTheValueStands() {
        expect(
            "model: a\nlayers: [3, 12]\n", 2, 13,
            .outOfRange(key: "layers", value: "12", lower: "0", upper: "11")
        ) { _ = $0.integers(.layers, in: 0...11) }
        expect(
            "threshold: -0.5\n", 1, 12,
            .outOfRange(key: "threshold", value: "-0.5", lower: "0.0", upper: "1.0")
        ) { _ = $0.double(.threshold, in: 0...1) }
        expect(
            "exact: 99999999999999999999\n", 1, 8,
            .outOfRange(
                key: "exact", value: "99999999999999999999", lower: "\(Int.min)",
                upper: "\(Int.max)")
        ) { _ = $0.integer(.exact) }
    }

    @Test func choicesAndListsAreChecked() {
        expect(
            "activation: quikgelu\n", 1, 13,
            .unknownChoice(
                key: "activation", value: "quikgelu", suggestion: "quickgelu",
                choices: ["gelu", "quickgelu"])
        ) { let _: Activation = $0.choice(.activation) }
        expect("layers: []\n", 1, 9, .emptyList(key: "layers")) { _ = $0.integers(.layers) }
        expect(
            "layers: [1, 2, 1]\n", 1, 16, .duplicateElement(key: "layers", value: "1")
        ) { _ = $0.integers(.layers) }
        expect("layers: [1]\n", 1, 9, .invalid(key: "layers", reason: "no later attention")) {
            $0.fault(.layers, "no later attention")
        }
    }

    // MARK: All faults

    /// Each fault is told where it stands, in the order of the text, and none that follows from another.
    @Test func allFaultsAreToldAtOnce() throws {
        let document = try SpecDocument(
            text: """
                modle: a
                layers: [1, x, 2, 1, 99]
                fit: {images: 0}
                threshold: 5
                splits: [{images: 1}, {imags: 2}, 3]
                activation: relu
                """, path: "x.yaml")
        let error = #expect(throws: SpecError.self) {
            try document.read { reader in
                // As two readers of the same text do.
                for _ in 0..<2 {
                    let root = reader.root(keys: Key.self)
                    _ = root.string(.model)
                    let layers = root.integers(.layers, in: 0...11)
                    #expect(layers == [1, 2])
                    root.check(.layers, holds: false, "not asked where an element is faulty")
                    let fit = root.mapping(.fit, keys: FitKey.self)
                    let images = fit.integer(.images, in: 1...10)
                    #expect(images == 1)
                    fit.check(.share, with: .images, holds: false, "not asked where another is faulty")
                    root.check(.threshold, with: .fit, holds: false, "not asked where a part of another is faulty")
                    _ = root.double(.threshold, in: 0...1)
                    for split in root.mappings(.splits, keys: FitKey.self) { _ = split.integer(.images) }
                    let _: Activation = root.choice(.activation)
                    // Of a mapping that is not there no more is said than that.
                    let none = root.mapping(.templates, keys: FitKey.self)
                    #expect(!none.has(.images) && !none.isSound(.images))
                    _ = none.integer(.images)
                    none.fault(.images, "nothing")
                }
            }
        }
        let faults = try #require(error).faults
        #expect(
            faults.map { "\($0.position?.line ?? 0):\($0.position?.column ?? 0)" } == [
                "1:1", "1:1", "1:1", "2:13", "2:19", "2:22", "3:15", "4:12", "5:23", "5:24", "5:35", "6:13",
            ], "\(faults)")
        #expect(faults.count(where: { if case .missingKey = $0.kind { true } else { false } }) == 3)
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
            guard case .syntax = error?.faults[0].kind else {
                Issue.record("\(text): \(String(describing: error))")
                continue
            }
            #expect(error?.faults[0].position != nil)
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
        func kind() -> SpecFault.Kind? {
            #expect(throws: SpecError.self) { try SpecDocument(contentsOf: url) }?.faults[0].kind
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
            _ = try? document?.read { reader in
                let root = reader.root(keys: Key.self)
                return (root.integers(.layers), root.mapping(.fit, keys: FitKey.self).double(.share))
            }
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
        _ text: String, _ line: Int?, _ column: Int?, _ kind: SpecFault.Kind,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (SpecMapping<Key>) -> Void
    ) {
        let position = line.flatMap { line in column.map { SpecPosition(line: line, column: $0) } }
        #expect(
            throws: SpecError(path: "x.yaml", position: position, kind: kind),
            sourceLocation: sourceLocation
        ) {
            try SpecDocument(text: text, path: "x.yaml").read { body($0.root(keys: Key.self)) }
        }
    }
}
