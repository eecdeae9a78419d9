import Foundation
import Inputs
import Pipeline
import Testing

@testable import Experiments

/// What the spec of the search may say, and what it may not.
@Suite struct AdversarialSearchSpecTests {
    func kind(_ old: String, _ new: String, sourceLocation: SourceLocation = #_sourceLocation) -> SpecFault.Kind? {
        #expect(SearchSample.specText.contains(old), sourceLocation: sourceLocation)
        return #expect(throws: SpecError.self, sourceLocation: sourceLocation) {
            try SearchSample.spec(SearchSample.specText.replacingOccurrences(of: old, with: new))
        }?.faults.first?.kind
    }

    @Test func everythingIsRead() throws {
        let spec = try SearchSample.spec()
        #expect(spec.pairs.map(\.name) == ["cat→dog", "owl→cat"] && spec.pairs.map(\.paper) == ["dog-deer", nil])
        #expect(spec.sizes == [2, 3] && spec.size == 0 && spec.neurons == 2 && spec.neuronLayers == [0, 2])
        #expect(
            spec.phrases == 3 && spec.synonyms.threshold == 0.92 && spec.pictures == 4 && spec.repeats == 2
                && spec.phrasesEach == 2)
        guard case .command(let program, timeout: 60, firstTimeout: 600) = spec.generator.source,
            program.command == ["cat"]
        else {
            Issue.record("\(spec.generator.source)")
            return
        }
        #expect(!spec.generator.isVerified && !spec.generator.excludesRelatives)
        #expect(spec.describer.describer is TemplateDescriber)
    }

    @Test func picturesOfAPairHaveAPlainFileName() {
        #expect(ClassPair(shown: "delivery truck", mistakenFor: "dog").fileName == "delivery-truck-dog")
        #expect(ClassPair(shown: "../a/b", mistakenFor: "c:\0d").fileName == "---a-b-c--d")
    }

    @Test func toolsAreReadWithTheirSettings() throws {
        let chat = try SearchSample.spec(
            SearchSample.specText.replacingOccurrences(
                of: "{kind: templates}",
                with:
                    "{kind: chat, url: \"http://localhost:1/v1\", model: tiny, temperature: 0.5, key-variable: KEY, timeout: 9}"
            ))
        #expect(chat.describer.describer.identity["url"] == "http://localhost:1/v1/chat/completions")
        #expect(chat.describer.describer.identity["temperature"] == "0.5")
        let command = try SearchSample.spec(
            SearchSample.specText.replacingOccurrences(
                of: "command: [cat]", with: "command: [a, -n, \"\", a], timeout: 700, environment: [HF_HOME, A1]"))
        guard case .command(let program, timeout: 700, firstTimeout: 700) = command.generator.source,
            program.command == ["a", "-n", "", "a"], program.variables == ["HF_HOME", "A1"]
        else {
            Issue.record("\(command.generator.source)")
            return
        }
        let scenes = try SearchSample.spec(AdversarialSearchMeasuresTests.scenes)
        #expect(scenes.generator.isVerified && scenes.generator.excludesRelatives)
    }

    @Test func aClassThatIsNoneIsNamedWithTheNearest() throws {
        guard case .unknownChoice(_, "dogg", suggestion: "dog", _)? = kind("mistaken-for: dog", "mistaken-for: dogg"),
            case .unknownChoice(_, "catt", suggestion: "cat", _)? = kind("{shown: cat", "{shown: catt"),
            case .unknownChoice(_, "dog-dear", suggestion: "dog-deer", _)? = kind("paper: dog-deer", "paper: dog-dear"),
            // Names of classes may come from anybody's file, and are not listed.
            case .unknownChoice(_, "/bin/sh", suggestion: nil, choices: [])? = kind(
                "mistaken-for: dog", "mistaken-for: /bin/sh")
        else {
            Issue.record("no suggestion")
            return
        }
    }

    @Test(arguments: [
        ("{shown: owl, mistaken-for: cat}", "{shown: owl, mistaken-for: owl}", "twice"),
        ("{shown: owl, mistaken-for: cat}", "{shown: cat, mistaken-for: dog}", "the pair cat→dog stands twice"),
        ("phrases: 3", "phrases: 1", "a description takes 2"),
        ("neurons: 2", "neurons: 9", "9 neurons cannot be chosen from 8"),
        ("neuron-layers: [0, 2]", "neuron-layers: [0, 4]", "layer 4"),
        ("size: 2", "size: 4", "4"),
        ("{kind: templates}", "{kind: templates, model: tiny}", "no such setting"),
        ("{kind: templates}", "{kind: templates, key-variable: KEY}", "no such setting"),
        ("{kind: templates}", "{kind: chat, url: \"ftp://host\", model: tiny}", "'ftp://host' is no http"),
        (
            "{kind: templates}", "{kind: chat, url: \"https://host/v1?key=word\", model: tiny}",
            "'https://host/v1' is no http"
        ),
        ("{kind: templates}", "{kind: chat, url: \"http://host/v1\", model: tiny}", "'http://host/v1' unencrypted"),
        (
            "{kind: templates}", "{kind: chat, url: \"https://host/v1\", model: tiny, key-variable: \"A=B\"}",
            "no name of an environment variable"
        ),
        ("command: [cat]", "command: [cat], environment: [\"HF_*\"]", "no name of an environment variable"),
        ("{kind: command, command: [cat]}", "{kind: scenes, environment: [HF_HOME]}", "no such setting"),
        ("{kind: command, command: [cat]}", "{kind: scenes, command: [cat]}", "no such setting"),
        ("{kind: command, command: [cat]}", "{kind: scenes, first-timeout: 3}", "no such setting"),
        ("command: [cat]}", "command: [cat], excludes-relatives: true}", "decides for itself"),
        ("command: [cat]", "command: [\"\", paint]", "has to be a program"),
        ("command: [cat]", "command: [\"a\\0b\"]", "zero byte"),
    ])
    func impossibleSettingsAreRefusedWithTheirReason(old: String, new: String, words: String) {
        guard case .invalid(_, let reason)? = kind(old, new) else {
            Issue.record("\(String(describing: kind(old, new)))")
            return
        }
        #expect(reason.contains(words), "\(reason)")
    }

    /// An address is shown without the password in it.
    @Test func passwordsAreNotShown() {
        guard
            case .invalid(_, let reason)? = kind(
                "{kind: templates}", "{kind: chat, url: \"http://user:word@host/v1\", model: tiny}")
        else {
            Issue.record("not refused")
            return
        }
        #expect(!reason.contains("word@") && reason.contains("@host/v1"))
    }

    @Test(arguments: [
        (
            "pairs:\n  - {shown: cat, mistaken-for: dog, paper: dog-deer}\n  - {shown: owl, mistaken-for: cat}",
            "pairs: []"
        ),
        ("{shown: owl, mistaken-for: cat}", "{shown: owl}"), ("phrases: 3", "phrases: 0"),
        ("repeats: [2]", "repeats: [1, 3]"), ("repeats: [2]", "repeats: []"),
        ("neurons: 2", "neurons: 0"), ("indirect-sample: {neurons: 4, images: 8}\n", ""),
        ("neurons: 4,", "neurons: 7,"),
        ("above: 0.92", "above: 1.5"),
        ("above: 0.92", "blocked: [{class: dgo, phrases: [a]}]"),
        ("above: 0.92", "blocked: [{class: dog, phrases: [a]}, {class: dog, phrases: [b]}]"),
        ("synonyms: {above: 0.92}", "gap: 1.5"), ("synonyms: {above: 0.92}", "ranking: sum"),
        ("synonyms: {above: 0.92}", "class-texts: name"), ("{count: 2, phrases-each: 2}", "{count: 2}"),
        ("{count: 2, phrases-each: 2}", "{count: 0, phrases-each: 2}"), ("phrases-each: 2}", "phrases-each: 5}"),
        ("images-each: 2", "images-each: 0"), ("describer: {kind: templates}\n", ""),
        ("{kind: templates}", "{kind: template}"),
        ("{kind: templates}", "{kind: chat, model: tiny}"),
        ("{kind: templates}", "{kind: chat, url: \"https://host\"}"),
        ("{kind: templates}", "{kind: chat, url: \"https://host\", model: m, temperature: 3}"),
        ("{kind: templates}", "{kind: chat, url: \"https://host\", model: m, timeout: 0}"),
        ("{kind: command, command: [cat]}", "{kind: command}"), ("command: [cat]", "command: []"),
        ("command: [cat]", "command: paint"),
        ("command: [cat]", "command: [cat], timeout: 0"), ("seed: 7", "seed: 7\nevaluation: {dataset: d, split: val}"),
        ("neuron-layers: [0, 2]", "neuron-layers: []"), ("neuron-layers: [0, 2]", "neuron-layers: [0, 0]"),
    ])
    func specsAreRefused(old: String, new: String) { _ = kind(old, new) }
}

/// Which steps a change of the spec computes anew: those whose numbers or pictures it changes, and no other.
@Suite struct AdversarialSearchKeyTests {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let text = """
        experiment: adversarial-search
        world: emoji
        model: emoji-clip
        fit: {dataset: emoji-scenes, split: fit}
        pairs:
          - {shown: dog, mistaken-for: deer, paper: dog-deer}
        pools: [{name: words, source: names-and-keywords}]
        sizes: [4, 8]
        size: 8
        neurons: 9
        neuron-layers: [0, 1]
        indirect-sample: {neurons: 8, images: 50}
        phrases: 25
        synonyms: {above: 0.6}
        descriptions: {count: 10, phrases-each: 3}
        images-each: 10
        repeats: [3]
        describer: {kind: templates}
        generator: {kind: scenes}
        seed: 0
        """

    private static let context = Result {
        ExperimentContext(
            manifest: try DatasetsManifest(contentsOf: repository.appendingPathComponent("datasets.manifest")),
            limit: 200)
    }

    /// Kinds of steps and their keys.
    func keys(_ text: String) throws -> [String: String] {
        var graph = Graph()
        _ = try Registry.make(
            SpecDocument(text: text, path: "spec.yaml"), context: Self.context.get(), graph: &graph)
        let plan = try Plan(
            graph,
            store: ArtefactStore(
                results: FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-none")))
        // The classes are embedded twice: in their sentences, and by their bare names.
        return Dictionary(plan.entries.map { ($0.kind, $0.key.digest) }, uniquingKeysWith: { $0 + $1 })
    }

    static let chat = "{kind: chat, url: \"http://localhost:1/v1\", model: a}"
    static let program = "{kind: command, command: [cat]}"
    static let (words, descriptions, pictures) = (
        ["search-words", "search-descriptions", "search-pictures", "fooling-pictures"],
        ["search-descriptions", "search-pictures", "fooling-pictures"], ["search-pictures", "fooling-pictures"]
    )

    @Test(arguments: [
        // Nothing that a step does depends on these.
        ("paper: dog-deer", "paper: bird-frog", []),
        (program, "{kind: command, command: [cat], timeout: 5, first-timeout: 7}", []),
        (program, "{kind: command, command: [cat], environment: [HF_HOME]}", []),
        (chat, "{kind: chat, url: \"http://localhost:1/v1\", model: a, timeout: 5, key-variable: KEY}", []),
        // The search.
        ("phrases: 25", "phrases: 24", words), ("above: 0.6", "above: 0.5", words),
        ("above: 0.6", "blocked: [{class: deer, phrases: [a]}]", words),
        ("seed: 0", "seed: 0\ngap: 0.9", words), ("seed: 0", "seed: 0\nranking: pairs", words),
        ("seed: 0", "seed: 0\nclass-texts: names", words),
        ("neurons: 9", "neurons: 8", words), ("neuron-layers: [0, 1]", "neuron-layers: [0, 2]", words),
        ("size: 8", "size: 4", words),
        ("repeats: [3]", "repeats: [2]", words), ("repeats: [3]", "repeats: [2, 3]", []),
        ("mistaken-for: deer", "mistaken-for: cat", words),
        ("{kind: scenes}", "{kind: scenes, excludes-relatives: false}", words),
        // The descriptions.
        ("phrases-each: 3", "phrases-each: 2", descriptions), ("count: 10", "count: 9", descriptions),
        ("{kind: templates}", chat, descriptions),
        (chat, chat.replacingOccurrences(of: "model: a", with: "model: b"), descriptions),
        (chat, chat.replacingOccurrences(of: "model: a", with: "model: a, temperature: 0.5"), descriptions),
        (chat, chat.replacingOccurrences(of: ":1/", with: ":2/"), descriptions),
        // The pictures.
        ("images-each: 10", "images-each: 9", pictures),
        (program, "{kind: command, command: [cat, \"\"]}", pictures),
        (program, "{kind: command, command: [ls]}", pictures),
    ])
    func onlyWhatAChangeConcernsIsComputedAgain(old: String, new: String, changed: [String]) throws {
        let base = Self.text
            .replacingOccurrences(of: "{kind: templates}", with: old == Self.chat ? old : "{kind: templates}")
            .replacingOccurrences(of: "{kind: scenes}", with: old == Self.program ? old : "{kind: scenes}")
        let (first, second) = (try keys(base), try keys(base.replacingOccurrences(of: old, with: new)))
        #expect(first.count == second.count && first.count >= 12)
        #expect(Set(first.keys.filter { first[$0] != second[$0] }) == Set(changed))
    }

    @Test func aChangedScriptMakesOtherPictures() throws {
        let script = FileManager.default.temporaryDirectory.appendingPathComponent("clip-lens-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: script) }
        let text = Self.text.replacingOccurrences(
            of: "{kind: scenes}", with: "{kind: command, command: [sh, \(script.path)]}")
        try Data("first".utf8).write(to: script)
        let first = try keys(text)
        #expect(try keys(text) == first)
        try Data("second".utf8).write(to: script)
        let second = try keys(text)
        #expect(Set(first.keys.filter { first[$0] != second[$0] }) == Set(Self.pictures))
    }

    /// Said before anything is computed: by name, and by a keyword that only the world knows.
    @Test(arguments: ["hot dog", "poodle"])
    func pairsThatNoPictureCanTellApartAreRefused(shown: String) throws {
        let text = Self.text.replacingOccurrences(
            of: "{shown: dog, mistaken-for: deer,", with: "{shown: \(shown), mistaken-for: dog,")
        #expect(throws: SearchError.contradictoryRequest(shown: shown, forbidden: "dog")) { try keys(text) }
    }
}
