import ArgumentParser
import Foundation
import Foundations
import Inputs
import Pipeline
import Results
import Slurm

/// `runner fetch NAME`: downloads what may be downloaded, or says how to get it.
struct FetchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch", abstract: "Download a model or data set of the manifest, or say how to get it.",
        discussion: """
            A transfer that is cut or interrupted goes on where it ended. A file is compared with its published \
            digest and kept only if it is the right one; where none is published, the digest it has now is written \
            to NAME.sha256 beside it and compared from then on.
            """)

    @OptionGroup var options: DownloadOptions
    @Option(help: ArgumentHelp("Seconds to wait for another runner that fetches into the same folder.", valueName: "S"))
    var lockTimeout = 10

    func validate() throws {
        if lockTimeout < 0 { throw ValidationError("--lock-timeout has to be at least 0") }
    }

    func run() throws {
        let published = try options.published()
        guard let folder = published.files.first?.folder else { return }
        let progress = TransferProgress()
        defer { progress.end() }
        guard published.provision == .download else {
            let checks = try published.check { progress.read($0, $1) }
            try Console.print(checks.table(title: published.title).rendered())
            return try checks.requireAll(of: published, fix: published.howToGet)
        }

        let interruption = Interruption()
        let lock = try lock(folder, interruption)
        var table = TextTable(
            title: published.title, columns: [.init("file"), .init("bytes", .right), .init("SHA-256"), .init("")])
        for (file, folder) in published.files {
            do {
                let fetched = try Fetcher().fetch(
                    file, into: folder, isCancelled: { interruption.cancellation.isCancelled },
                    progress: { progress.show($0) })
                progress.end()
                table.addRow([file.name, "\(fetched.bytes)", fetched.sha256, fetched.words])
            } catch FetchError.cancelled {
                throw Failure(
                    interruption.code ?? .interrupted, "interrupted; what has come of \(file.name) is kept",
                    fix: "go on with: \(CommandLine.arguments.map(\.quotedForShell).joined(separator: " "))")
            }
        }
        withExtendedLifetime(lock) {}
        if let note = published.note { table.addFootnote(note) }
        try Console.print(table.rendered())
    }

    /// Makes the folder and waits until nobody else fetches into it.
    private func lock(_ folder: URL, _ interruption: Interruption) throws -> ResultsLock {
        do {
            let output = OutputFolder(folder)
            try output.probe()
            return try ResultsLock(
                folder: output, timeout: .seconds(lockTimeout), cancellation: interruption.cancellation
            ) { holder in
                let who = holder.map { "process \($0.pid)" } ?? "another process"
                Console.tell("waiting for \(who), which fetches into \(folder.path)\n")
            }
        } catch PipelineError.lockHeld(_, let holder, _) {
            let who = holder.map { "process \($0.pid) on \($0.host)" } ?? "another process"
            throw Failure(
                .lockHeld, "\(folder.path): \(who) is fetching into it",
                fix: "wait for it, raise --lock-timeout, or choose another folder with --folder")
        } catch let error as OutputError {
            throw Failure(error, elsewhere: "choose another folder with --folder", again: "run the same command again")
        }
    }
}

/// What `fetch` and `verify` take.
struct DownloadOptions: ParsableArguments {
    @Argument(help: "A name of the manifest, such as openai-vit-b-32 or cifar-10.")
    var name: String
    @Option(help: ArgumentHelp("The folder of its files, if they do not lie in data/NAME.", valueName: "DIR"))
    var folder: String?
    @Option(help: "The list of models and data sets.")
    var manifest = "datasets.manifest"

    func published() throws -> PublishedFiles {
        try DatasetsManifest(contentsOf: URL(fileURLWithPath: manifest))
            .publishedFiles(name, data: folder.map { URL(fileURLWithPath: $0, isDirectory: true) })
    }
}
