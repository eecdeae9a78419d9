import Inputs
import Pipeline

/// Who turns phrases into descriptions, as a spec's `describer:` has it.
///
/// ```yaml
/// describer: {kind: templates}
/// describer: {kind: chat, url: "http://localhost:8000/v1", model: some-model, temperature: 1, key-variable: API_KEY, timeout: 120}
/// ```
struct DescriberSpec: Sendable {
    private enum Kind: String, CaseIterable {
        case templates, chat
    }

    private enum Key: String, CaseIterable {
        case kind, url, model, temperature, timeout
        case keyVariable = "key-variable"
    }

    let describer: any Describer

    /// By the name that papers' files use.
    var setting: String { describer.identity["model"] ?? describer.identity["describer"] ?? "" }

    init<Root>(_ root: SpecMapping<Root>, _ key: Root) {
        let mapping = root.mapping(key, keys: Key.self)
        switch mapping.choice(.kind, of: Kind.self) {
        case .templates:
            for other in [Key.url, .model, .temperature, .timeout, .keyVariable] where mapping.has(other) {
                if mapping.isSound(.kind) { mapping.fault(other, "the built-in templates have no such setting") }
            }
            describer = TemplateDescriber()
        case .chat:
            describer = Self.chat(mapping) ?? TemplateDescriber()
        }
    }

    /// Nil where the address will not do, which is noted.
    private static func chat(_ mapping: SpecMapping<Key>) -> ChatDescriber? {
        let address = mapping.address(.url, keyVariable: .keyVariable)
        let model = mapping.string(.model)
        let temperature = mapping.double(.temperature, in: 0...2, default: 1)
        let timeout = mapping.double(.timeout, in: 1...86_400, default: 120)
        guard mapping.isSound(.url) else { return nil }
        do {
            return try ChatDescriber(
                url: address.url, model: model, temperature: temperature, keyVariable: address.keyVariable,
                timeout: timeout)
        } catch SearchError.insecureURL(let shown) {
            mapping.fault(
                .url,
                "texts and keys would go to '\(shown)' unencrypted; write https, which only an address of this machine can do without"
            )
        } catch SearchError.unsupportedURL(let shown) {
            // Without the password that the address may hold.
            mapping.fault(.url, "'\(shown)' is no http or https address without password and query")
        } catch {
            mapping.fault(.url, "\(error)")
        }
        return nil
    }
}

/// Who turns descriptions into pictures, as a spec's `generator:` has it.
///
/// ```yaml
/// generator: {kind: scenes, excludes-relatives: true}
/// generator: {kind: command, command: [python3, scripts/serve_pictures.py], timeout: 60, first-timeout: 600, environment: [HF_HOME]}
/// ```
struct GeneratorSpec: Sendable {
    private enum Kind: String, CaseIterable {
        case scenes, command
    }

    private enum Key: String, CaseIterable {
        case kind, command, timeout, environment
        case excludesRelatives = "excludes-relatives"
        case firstTimeout = "first-timeout"
    }

    enum Source: Sendable {
        /// The world's own sprites, without what looks like the second class.
        case scenes(excludesRelatives: Bool)
        case command(SpecReach.Program, timeout: Double, firstTimeout: Double)
    }

    let source: Source

    /// By the name that papers' files use.
    var setting: String {
        switch source {
        case .scenes: "scenes"
        case .command(let program, _, _): program.command.joined(separator: " ")
        }
    }

    /// Whether "shows the one class and not the other" holds without anybody looking.
    var isVerified: Bool { if case .scenes = source { true } else { false } }

    init<Root>(_ root: SpecMapping<Root>, _ key: Root) {
        let mapping = root.mapping(key, keys: Key.self)
        func refuse(_ keys: [Key], _ reason: String) {
            for other in keys where mapping.has(other) && mapping.isSound(.kind) { mapping.fault(other, reason) }
        }
        switch mapping.choice(.kind, of: Kind.self) {
        case .scenes:
            refuse(
                [.command, .timeout, .firstTimeout, .environment], "the built-in compositor has no such setting")
            source = .scenes(excludesRelatives: mapping.bool(.excludesRelatives, default: true))
        case .command:
            refuse([.excludesRelatives], "an external command decides for itself what it shows")
            let program = mapping.program(.command, variables: .environment)
            let timeout = mapping.double(.timeout, in: 0.1...86_400, default: 60)
            source = .command(
                program, timeout: timeout,
                firstTimeout: mapping.double(.firstTimeout, in: 0.1...86_400, default: max(timeout, 600)))
        }
    }

    /// The generator itself, which for a command starts nothing before the first picture is asked for.
    /// - Throws: `SearchError`, also where the command's program is not there; `InputError`.
    func generator(_ classes: StudyClasses) throws -> any PictureGenerator {
        switch source {
        case .scenes(let excludesRelatives):
            try SceneGenerator(
                compositor: classes.requireScenes("generator: {kind: scenes}").sceneCompositor(),
                excludesRelatives: excludesRelatives)
        case .command(let program, let timeout, let firstTimeout):
            try CommandGenerator(
                command: CommandGenerator.installed(program.command), variables: program.variables, timeout: timeout,
                firstTimeout: firstTimeout)
        }
    }
}
