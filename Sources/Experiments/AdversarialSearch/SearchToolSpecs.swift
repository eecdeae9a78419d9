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

    /// - Throws: `SpecError`.
    init<Root>(_ root: SpecMapping<Root>, _ key: Root) throws {
        let mapping = try root.mapping(key, keys: Key.self)
        switch try mapping.choice(.kind, of: Kind.self) {
        case .templates:
            for other in [Key.url, .model, .temperature, .timeout, .keyVariable] where mapping.has(other) {
                throw mapping.invalid(other, "the built-in templates have no such setting")
            }
            describer = TemplateDescriber()
        case .chat:
            let address = try mapping.address(.url, keyVariable: .keyVariable)
            do {
                describer = try ChatDescriber(
                    url: address.url, model: try mapping.string(.model),
                    temperature: try mapping.double(.temperature, in: 0...2, default: 1),
                    keyVariable: address.keyVariable,
                    timeout: try mapping.double(.timeout, in: 1...86_400, default: 120))
            } catch SearchError.unsupportedURL(let shown) {
                // Without the password that the address may hold.
                throw mapping.invalid(.url, "'\(shown)' is no http or https address without password and query")
            } catch SearchError.insecureURL(let shown) {
                throw mapping.invalid(
                    .url,
                    "texts and keys would go to '\(shown)' unencrypted; write https, which only an address of this machine can do without"
                )
            }
        }
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

    /// - Throws: `SpecError`.
    init<Root>(_ root: SpecMapping<Root>, _ key: Root) throws {
        let mapping = try root.mapping(key, keys: Key.self)
        func refuse(_ keys: [Key], _ reason: String) throws {
            for other in keys where mapping.has(other) { throw mapping.invalid(other, reason) }
        }
        switch try mapping.choice(.kind, of: Kind.self) {
        case .scenes:
            try refuse(
                [.command, .timeout, .firstTimeout, .environment], "the built-in compositor has no such setting")
            source = .scenes(excludesRelatives: try mapping.bool(.excludesRelatives, default: true))
        case .command:
            try refuse([.excludesRelatives], "an external command decides for itself what it shows")
            let program = try mapping.program(.command, variables: .environment)
            let timeout = try mapping.double(.timeout, in: 0.1...86_400, default: 60)
            source = .command(
                program, timeout: timeout,
                firstTimeout: try mapping.double(.firstTimeout, in: 0.1...86_400, default: max(timeout, 600)))
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
