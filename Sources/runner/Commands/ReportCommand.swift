import ArgumentParser
import Foundation
import Foundations
import Pipeline
import Results

/// `runner report`: everything that a results folder holds, as one page for people.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write one HTML page with all tables, figures and pictures.",
        discussion: """
            The page needs nothing beside it: it opens from a mail, without a network, and prints. Of each experiment it shows the \
            latest run that gave rows; runs that failed, are partial or must not be trusted are marked. Nothing in the results \
            folder is changed, so a folder that cannot be written will do with --output.
            """)

    @Option(help: ArgumentHelp("The results.", valueName: "DIR"))
    var results = "results"
    @Option(help: ArgumentHelp("The page; report.html in the results folder where nothing is said.", valueName: "FILE"))
    var output: String?

    func validate() throws {
        if results.isEmpty || output?.isEmpty == true { throw ValidationError("a folder and a file have names") }
    }

    func run() throws {
        let folder = URL(fileURLWithPath: results, isDirectory: true)
        let page = output.map { URL(fileURLWithPath: $0) } ?? folder.appendingPathComponent("report.html")
        try OutputFile.check(
            page.path, isNoneOf: [ResultFiles.database(in: folder).path, ResultFiles.snapshot(in: folder).path])
        let reader = try ResultsReader(in: folder)
        // Before any work: a page that nobody gets is none.
        try Self.checkWritable(page)
        let report = try reader.read { try ResultsReport($0, folder: folder) }
        guard !report.isEmpty else {
            throw Failure(
                .inputMissing, "\(results): no experiment was run there yet",
                fix: "run the experiments first, with `make reproduce-table`")
        }
        for file in report.unbelievable {
            Console.tell(
                "warning: \(file) is missing or not the file that its run left; the page says so in its place\n")
        }
        let html = try report.html()
        do {
            try OutputFolder.write(html, to: page)
        } catch let OutputError.saveFailed(path, errno, _) where Self.isRefusal(errno) {
            throw Self.refused(path, errno)
        } catch let error as OutputError {
            throw Failure(error, elsewhere: "name another file with --output", again: "run the same command again")
        }
        if html.count > ResultsReport.largestPage {
            Console.tell("warning: the page has \(ByteCount(html.count)), too much for most mail\n")
        }
        try Console.print("\(page.relativePath) (\(ByteCount(html.count)))\n")
    }

    private static func checkWritable(_ page: URL) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: page.path, isDirectory: &isFolder), isFolder.boolValue {
            throw refused(page.path, EISDIR)
        }
        let folder = page.deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else { throw refused(page.path, errno) }
    }

    /// Whether the file cannot be written there at all, unlike one for which there was no room.
    private static func isRefusal(_ code: Int32) -> Bool {
        [EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG].contains(code)
    }

    private static func refused(_ path: String, _ code: Int32) -> Failure {
        Failure(
            .cannotWrite, "\(path): cannot be written: \(String(cString: strerror(code)))",
            fix: "name another file with --output")
    }
}
