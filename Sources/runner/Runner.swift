import ArgumentParser

@main
struct Runner: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runner",
        abstract: "Reproduces what two papers found inside CLIP, on any CLIP and any data.",
        subcommands: [Scenes.self])
}
